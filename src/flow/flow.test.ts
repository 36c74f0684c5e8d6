import assert from "node:assert/strict";
import { test } from "node:test";
import { VarveError } from "../errors/index.ts";
import { joinSignals, limiter, reasonOf, retry, singleFlight, sleep, unlessAborted, withDeadline } from "./index.ts";

const quick = { delayMs: 1, maxDelayMs: 2, shouldRetry: () => true };
const stop = new VarveError("CANCELED", "stop");

/** A promise with its handles outside. */
function defer<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  return Promise.withResolvers<T>();
}

test("a retry ends with the first success, and says how often it failed", async () => {
  const failures: number[] = [];
  const result = await retry(
    async (attempt) => {
      if (attempt < 3) throw new Error(`try ${attempt}`);
      return attempt;
    },
    { ...quick, attempts: 5, onRetry: (_error, failed) => failures.push(failed) },
  );
  assert.equal(result, 3);
  assert.deepEqual(failures, [1, 2]);
});

test("a retry ends with the last error, at once when it is no use", async () => {
  let calls = 0;
  const work = async (): Promise<never> => {
    calls += 1;
    throw new Error(`try ${calls}`);
  };
  await assert.rejects(retry(work, { ...quick, attempts: 3 }), { message: "try 3" });
  await assert.rejects(retry(work, { ...quick, attempts: 3, shouldRetry: () => false }), {
    message: "try 4",
  });
});

test("a retry that is canceled in its pause throws the reason", async () => {
  const controller = new AbortController();
  const work = retry(() => Promise.reject(new Error("no")), {
    attempts: 2,
    shouldRetry: () => true,
    delayMs: 1e6,
    maxDelayMs: 1e6,
    signal: controller.signal,
    onRetry: () => void setImmediate(() => controller.abort(stop)),
  });
  await assert.rejects(work, stop);
});

test("the platform's empty reasons become errors with codes", async () => {
  assert.equal((reasonOf(AbortSignal.abort()) as VarveError).code, "CANCELED");
  await assert.rejects(sleep(1e6, { signal: AbortSignal.timeout(1) }), { code: "TIMED_OUT" });
  await assert.rejects(sleep(1e6, { signal: AbortSignal.abort(stop) }), stop);
  await assert.rejects(unlessAborted(Promise.reject(new Error("late")), { signal: AbortSignal.abort(stop) }), stop);
});

test("joined signals abort with the reason of the one that did", () => {
  const [a, b] = [new AbortController(), new AbortController()];
  const joined = joinSignals(a.signal, undefined, b.signal);
  b.abort(stop);
  assert.equal(joined.reason, stop);
  assert.equal(joinSignals(undefined).aborted, false);
});

test("a deadline aborts with TIMED_OUT and names the wait; ended, it never does", async () => {
  const deadline = withDeadline(undefined, 1e6, { what: "connecting" });
  deadline.restart(1, "reading the answer");
  await assert.rejects(sleep(1e6, { signal: deadline.signal }), {
    code: "TIMED_OUT",
    message: /^reading the answer took longer/,
  });
  const outer = new AbortController();
  const other = withDeadline(outer.signal, 1);
  other.end();
  other.restart();
  await sleep(5);
  assert.equal(other.signal.aborted, false);
  outer.abort(stop);
  assert.equal(other.signal.reason, stop);
});

test("concurrent asks for one key share a flight, and a failure is forgotten", async () => {
  const flights = singleFlight<string, number>();
  let calls = 0;
  const gate = defer<number>();
  const work = (): Promise<number> => {
    calls += 1;
    return gate.promise;
  };
  const asks = [flights.run("a", work), flights.run("a", work), flights.run("b", async () => 2)];
  gate.reject(new Error("no"));
  assert.deepEqual(
    (await Promise.allSettled(asks)).map((ask) => ask.status),
    ["rejected", "rejected", "fulfilled"],
  );
  assert.equal(calls, 1);
  assert.equal(await flights.run("a", async () => 3), 3);
  assert.equal(flights.size, 0);
});

test("a waiter that gives up leaves the flight to the others", async () => {
  const flights = singleFlight<string, number>();
  const gate = defer<number>();
  const controller = new AbortController();
  let flightSignal: AbortSignal | undefined;
  const first = flights.run(
    "a",
    (signal) => {
      flightSignal = signal;
      return gate.promise;
    },
    { signal: controller.signal },
  );
  const second = flights.run("a", () => Promise.reject(new Error("a second flight")), {
    signal: new AbortController().signal,
  });
  await Promise.resolve();
  controller.abort(stop);
  await assert.rejects(first, stop);
  assert.equal(flightSignal?.aborted, false);
  gate.resolve(7);
  assert.equal(await second, 7);
});

test("the last waiter ends the flight and leaves when it has ended; the next ask flies after that", async () => {
  const flights = singleFlight<string, string>();
  const controllers = [new AbortController(), new AbortController()];
  const events: string[] = [];
  const cleanUp = defer<undefined>();
  const started = defer<undefined>();
  const work = async (signal: AbortSignal): Promise<string> => {
    started.resolve(undefined);
    try {
      await sleep(1e6, { signal });
      return "never";
    } finally {
      await cleanUp.promise;
      events.push("ended");
    }
  };
  const asks = controllers.map(({ signal }) =>
    flights.run("a", work, { signal }).catch((error: unknown) => events.push((error as Error).message)),
  );
  await started.promise;
  for (const controller of controllers) controller.abort(stop);
  const next = flights.run("a", async () => {
    events.push("next");
    return "fresh";
  });
  await asks[0];
  assert.deepEqual(events, ["stop"]);
  cleanUp.resolve(undefined);
  assert.equal(await next, "fresh");
  await asks[1];
  assert.deepEqual(
    events.filter((event) => event !== "stop"),
    ["ended", "next"],
  );
});

test("a limiter keeps to its lanes and its order, also when waiters leave", async () => {
  const lanes = limiter(2);
  const gates = [defer<undefined>(), defer<undefined>(), defer<undefined>()];
  const started: number[] = [];
  const work = (n: number) => async (): Promise<void> => {
    started.push(n);
    await gates[n]?.promise;
  };
  const controller = new AbortController();
  const runs = [lanes.run(work(0)), lanes.run(work(1))];
  const left = lanes.run(work(9), { signal: controller.signal });
  runs.push(lanes.run(work(2)));
  controller.abort(stop);
  await assert.rejects(left, stop);
  assert.deepEqual(started, [0, 1]);
  gates[1]?.reject(new Error("failed"));
  await assert.rejects(runs[1] ?? Promise.resolve(), { message: "failed" });
  gates[0]?.resolve(undefined);
  gates[2]?.resolve(undefined);
  await Promise.all([runs[0], runs[2]]);
  assert.deepEqual(started, [0, 1, 2]);
  assert.throws(() => limiter(0), TypeError);
});
