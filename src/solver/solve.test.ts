import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { solve } from "./solve.ts";
import type { CacheRecord, CacheStore, SolverEvent, SolverOp, SolverVertex } from "./types.ts";

/** A graph of fake ops over text results, with a cache that outlives a solve and counts of what ran. */
function bench() {
  const records = new Map<string, CacheRecord<string>>();
  const links = new Map<string, { key: string; inputs: readonly string[] }>();
  const forget = (key: string) => {
    for (const [fast, link] of links) if (link.inputs.includes(key)) links.delete(fast);
    for (const [other, record] of records) {
      if (!record.inputKeys.includes(key)) continue;
      records.delete(other);
      forget(other);
    }
  };
  const cache: CacheStore<string> = {
    link: (fast) => links.get(fast)?.key,
    saveLink: (fast, key, inputs) => void links.set(fast, { key, inputs }),
    knows: (key) => records.has(key),
    load: (key) => records.get(key)?.outputs,
    peek: (key) => records.get(key)?.outputs,
    save: (record) => {
      if (records.has(record.key)) forget(record.key);
      records.set(record.key, record);
    },
    keep: (record) => {
      if (!records.has(record.key)) cache.save(record);
      return records.get(record.key)?.outputs ?? [];
    },
  };
  return {
    records,
    async build(target: string, graph: Record<string, Fake>, signal = new AbortController().signal) {
      const ran: string[] = [];
      const events: SolverEvent[] = [];
      const vertices = new Map<string, SolverVertex<string>>();
      for (const [id, fake] of Object.entries(graph)) {
        const inputs = (fake.from ?? []).map((input) => ({ id: input, index: 0 }));
        const op: SolverOp<string> = {
          cacheMap: async () => ({
            digest: fake.digest ?? id,
            ...(fake.volatile ? { volatile: true } : {}),
            dependencies: inputs.map((_, index) => ({
              selector: "",
              ...(fake.reads && !fake.whole?.includes(index)
                ? { content: async (input: string) => fake.reads!(input, index) }
                : {}),
            })),
          }),
          exec: async (values, context) => {
            ran.push(id);
            return [await fake.run(values, context.signal)];
          },
        };
        vertices.set(id, { id, name: id, inputs, ignoreCache: fake.ignoreCache ?? false, op });
      }
      const [result] = await solve([{ id: target, index: 0 }], {
        vertices,
        cache,
        signal,
        onEvent: (event) => events.push(event),
      });
      return {
        result,
        ran: ran.sort(),
        events,
        cached: events.filter((e) => e.type === "completed" && e.cached).map((e) => e.vertex),
      };
    },
  };
}

interface Fake {
  readonly from?: readonly string[];
  readonly digest?: string;
  readonly volatile?: boolean;
  readonly ignoreCache?: boolean;
  readonly reads?: (input: string, index: number) => string;
  /** Inputs that `reads` is not for: they count as a whole. */
  readonly whole?: readonly number[];
  readonly run: (inputs: readonly string[], signal: AbortSignal) => string | Promise<string>;
}

test("S01 a vertex that the target does not need is never asked for anything", async () => {
  const { ran, result } = await bench().build("b", {
    a: { run: () => "a" },
    b: { from: ["a"], run: ([a]) => `${a}b` },
    unused: { run: () => assert.fail("must not run") },
  });
  assert.equal(result, "ab");
  assert.deepEqual(ran, ["a", "b"]);
});

test("L55 a second solve runs nothing and reports the whole chain as cached", async () => {
  const world = bench();
  const graph: Record<string, Fake> = {
    a: { run: () => "a" },
    b: { from: ["a"], run: ([a]) => `${a}b` },
    c: { from: ["b"], run: ([b]) => `${b}c` },
  };
  await world.build("c", graph);
  const second = await world.build("c", graph);
  assert.deepEqual(second.ran, []);
  assert.deepEqual(second.cached, ["a", "b", "c"]);
  assert.equal(second.result, "abc");
});

test("a shared vertex runs once for all that use it", async () => {
  const { ran, result } = await bench().build("top", {
    base: { run: async () => (await sleep(5), "x") },
    left: { from: ["base"], run: ([x]) => `${x}l` },
    right: { from: ["base"], run: ([x]) => `${x}r` },
    top: { from: ["left", "right"], run: ([l, r]) => `${l}${r}` },
  });
  assert.equal(result, "xlxr");
  assert.deepEqual(ran, ["base", "left", "right", "top"]);
});

test("independent vertices run at the same time", async () => {
  let waiting = 0;
  let release: () => void = () => undefined;
  const everyoneIsHere = new Promise<void>((resolve) => (release = resolve));
  const meet = async () => {
    waiting += 1;
    if (waiting === 8) release();
    await everyoneIsHere;
    return "x";
  };
  const stages = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`s${i}`, { run: meet }]));
  const { result } = await bench().build("all", {
    ...stages,
    all: { from: Object.keys(stages), run: (inputs) => inputs.join("") },
  });
  assert.equal(result, "xxxxxxxx");
});

test("stages that a row of copies reads from run at the same time", async () => {
  let waiting = 0;
  let release: () => void = () => undefined;
  const everyoneIsHere = new Promise<void>((resolve) => (release = resolve));
  const graph: Record<string, Fake> = {};
  for (let i = 0; i < 8; i += 1) {
    graph[`stage${i}`] = {
      run: async () => {
        waiting += 1;
        if (waiting === 8) release();
        await everyoneIsHere;
        return `s${i}`;
      },
    };
    graph[`copy${i}`] = {
      from: [...(i > 0 ? [`copy${i - 1}`] : []), `stage${i}`],
      reads: (input) => input,
      run: (inputs) => inputs.join(""),
    };
  }
  const { result } = await bench().build("copy7", graph);
  assert.equal(result, "s0s1s2s3s4s5s6s7");
});

test("the stage that copies runs beside the stage that it copies from", async () => {
  let meet: () => void = () => undefined;
  const met = new Promise<void>((resolve) => (meet = resolve));
  const { result } = await bench().build("copy", {
    from: { run: async () => (await met, "f") },
    base: { run: async () => (meet(), "b") },
    copy: { from: ["base", "from"], whole: [0], reads: (input) => input, run: (inputs) => inputs.join("") },
  });
  assert.equal(result, "bf");
});

test("of two solves at once that make the same, both go on from what the first one stored", async () => {
  const world = bench();
  let arrived = 0;
  let release: () => void = () => undefined;
  const both = new Promise<void>((resolve) => (release = resolve));
  const graph = (name: string): Record<string, Fake> => ({
    shared: {
      run: async () => {
        arrived += 1;
        if (arrived === 2) release();
        await both;
        return name;
      },
    },
    [name]: { from: ["shared"], run: ([shared]) => `${shared}!` },
  });
  const [one, two] = await Promise.all([world.build("one", graph("one")), world.build("two", graph("two"))]);
  assert.equal(one.result, two.result);
  assert.deepEqual((await world.build("one", graph("one"))).ran, []);
  assert.deepEqual((await world.build("two", graph("two"))).ran, []);
});

test("C19 a step that reads content stays cached when its input is made anew with the same content", async () => {
  const world = bench();
  const graph = (source: string): Record<string, Fake> => ({
    compile: { digest: `compile ${source}`, run: () => source.toLowerCase() },
    copy: { from: ["compile"], reads: (input) => input, run: ([x]) => `image(${x})` },
    after: { from: ["copy"], run: ([x]) => `${x}+` },
  });
  await world.build("after", graph("abc"));
  const second = await world.build("after", graph("ABC"));
  assert.deepEqual(second.ran, ["compile"]);
  assert.equal(second.result, "image(abc)+");
  assert.deepEqual((await world.build("after", graph("ABC"))).ran, [], "the link is remembered: now compile need not run either");
});

test("L54 of a volatile source only the content that is read decides", async () => {
  const world = bench();
  const graph = (session: string, read: string, unread: string): Record<string, Fake> => ({
    context: { digest: session, volatile: true, run: () => `${read}|${unread}` },
    copy: { from: ["context"], reads: (input) => input.split("|")[0]!, run: ([x]) => x!.split("|")[0]! },
  });
  await world.build("copy", graph("1", "main.go", "notes"));
  assert.deepEqual((await world.build("copy", graph("2", "main.go", "other notes"))).ran, ["context"]);
  assert.deepEqual((await world.build("copy", graph("3", "main.go!", "other notes"))).ran, ["context", "copy"]);
});

test("two vertices with one key run once", async () => {
  const { ran, result } = await bench().build("both", {
    a: { digest: "same", run: async () => (await sleep(5), "x") },
    b: { digest: "same", run: async () => (await sleep(5), "x") },
    both: { from: ["a", "b"], run: (inputs) => inputs.join("") },
  });
  assert.equal(result, "xx");
  assert.equal(ran.length, 2);
});

test("B18 a vertex without cache runs again, and what is made from it too, unless its content is the same", async () => {
  const world = bench();
  let made = 0;
  const graph = (ignoreCache: boolean): Record<string, Fake> => ({
    a: { ignoreCache, run: () => `a${(made += 1)}` },
    whole: { from: ["a"], run: ([a]) => `${a}!` },
    part: { from: ["a"], reads: (input) => input[0]!, run: ([a]) => a![0]! },
    top: { from: ["whole", "part"], run: (inputs) => inputs.join() },
  });
  assert.equal((await world.build("top", graph(false))).result, "a1!,a");
  const second = await world.build("top", graph(true));
  assert.deepEqual(second.ran, ["a", "top", "whole"]);
  assert.equal(second.result, "a2!,a");
  assert.deepEqual((await world.build("top", graph(false))).ran, []);
});

test("what was made from a result that --no-cache replaced is not served later", async () => {
  const world = bench();
  let made = 0;
  const graph = (ignoreCache: boolean): Record<string, Fake> => ({
    a: { ignoreCache, run: () => `a${(made += 1)}` },
    copy: { from: ["a"], reads: (input) => input, run: ([a]) => `${a}!` },
  });
  await world.build("copy", graph(false));
  await world.build("a", graph(true));
  assert.equal((await world.build("copy", graph(false))).result, "a2!");
});

test("what is made of an input that came out otherwise is not stored as what an earlier build made, nor what follows", async () => {
  const world = bench();
  let made = "one";
  const graph = (source: Record<string, Fake>): Record<string, Fake> => ({
    ...source,
    copy: { from: ["source"], reads: (value) => value, run: ([value]) => `copy of ${value}` },
    top: { from: ["copy"], run: ([value]) => `top of ${value}` },
  });
  const random = graph({ source: { digest: "random", run: () => made } });
  await world.build("top", random);
  // everything is pruned but what was found out about keys
  world.records.clear();
  made = "two";
  assert.equal((await world.build("top", random)).result, "top of copy of two");
  assert.deepEqual((await world.build("top", random)).ran, []);
  const again = await world.build("top", graph({ source: { digest: "steady", run: () => "one" } }));
  assert.equal(again.result, "top of copy of one");
});

test("the first failure stops the others, and the promise settles after they have stopped", async () => {
  let stopped = false;
  const failing = bench().build("top", {
    bad: { run: () => Promise.reject(new Error("broken")) },
    slow: {
      run: (_, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => setTimeout(() => ((stopped = true), reject(signal.reason as Error)), 20), {
            once: true,
          }),
        ),
    },
    top: { from: ["bad", "slow"], run: () => "never" },
  });
  await assert.rejects(failing, /broken/);
  assert.equal(stopped, true);
});

test("an abort ends the solve with the caller's reason, and nothing is stored", async () => {
  const world = bench();
  const controller = new AbortController();
  const solving = world.build(
    "a",
    {
      a: {
        run: (_, signal) =>
          new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
      },
    },
    controller.signal,
  );
  setTimeout(() => controller.abort(new Error("enough")), 5);
  await assert.rejects(solving, /enough/);
  assert.equal(world.records.size, 0);
});
