/** Varve as a library: a build is a promise and a stream of events, and stops when it is told to. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { openVarve, type BuildOptions, type Varve } from "../../src/engine/index.ts";
import type { BuildEvent } from "../../src/events/index.ts";
import { isVarveError } from "../../src/errors/index.ts";
import { readOciArchive } from "../kit/archive.ts";
import { describeOnce } from "../kit/each-way.ts";
import { isAlive, listDescendants } from "../kit/processes.ts";

describeOnce("the library", (box) => {
  const open = () => openVarve({ root: box.path("store"), configPath: box.path("varve.toml"), path: process.env["PATH"] ?? "" });
  const options = (text: string): BuildOptions => ({
    context: { kind: "folder", path: box.write("context", { a: "a" }) },
    dockerfile: { text },
  });
  const collect = async (run: AsyncIterable<BuildEvent>) => {
    const events: BuildEvent[] = [];
    for await (const event of run) events.push(event);
    return events;
  };

  test("one run can be iterated for its events and awaited for its result, in any order and more than once", async () => {
    await using varve = open();
    const run = varve.build({ ...options("FROM busybox\nRUN echo out; echo err >&2\nCOPY a /\n"), tags: ["library/one"] });
    const events = await collect(run);
    const { imageId, tags } = await run;
    assert.match(imageId ?? "", /^sha256:[0-9a-f]{64}$/);
    assert.deepEqual(tags, ["one:latest"]);
    const logs = events.flatMap((event) => (event.type === "log" ? [[event.stream, Buffer.from(event.data).toString()]] : []));
    assert.deepEqual(
      logs.toSorted(([one], [other]) => Number(one) - Number(other)),
      [
        [1, "out\n"],
        [2, "err\n"],
      ],
    );
    const ended = events.flatMap((event) => (event.type === "vertex" && event.completed !== undefined ? [event.name] : []));
    assert.ok(
      ended.some((name) => name.endsWith("] COPY a /")),
      ended.join("\n"),
    );
    assert.equal((await collect(run)).length, events.length, "events are kept");
    assert.equal((await varve.build(options("FROM library/one\n"))).imageId, imageId);
  });

  test("a result can be streamed to the program", async () => {
    await using varve = open();
    const chunks: Uint8Array[] = [];
    const { imageId, descriptor } = await varve.build({
      ...options("FROM scratch\nCOPY a /\n"),
      outputs: [{ type: "oci", dest: async (chunk) => void chunks.push(Uint8Array.from(chunk)) }],
    });
    const image = readOciArchive(Buffer.concat(chunks));
    assert.deepEqual([image.configDigest, image.descriptor.digest], [imageId, descriptor?.digest]);
  });

  test("what is not read of a run is no unhandled rejection, and a failure is one VarveError with its place", async () => {
    await using varve = open();
    const failing = varve.build(options("FROM busybox\nRUN echo words; exit 3\n"));
    const error: unknown = await failing.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(isVarveError(error), String(error));
    assert.deepEqual([error.code, error.where?.file, error.where?.startLine], ["RUN_FAILED", "Dockerfile", 2]);
    const unread = varve.build(options("FROMM x\n"));
    assert.deepEqual(
      (await collect(unread)).filter(({ type }) => type === "log"),
      [],
    );
    await assert.rejects(unread, { code: "DOCKERFILE_UNKNOWN_INSTRUCTION" });
  });

  test("an abort ends the step that runs, and the build settles when it has ended", async () => {
    await using varve = open();
    const reason = new Error("enough");
    assert.equal(await endInTheMiddle(varve, async (controller) => controller.abort(reason)), reason);
  });

  test("closing ends what is under way", async () => {
    const varve = open();
    const error = await endInTheMiddle(varve, async () => await varve.close());
    assert.ok(isVarveError(error) && error.code === "CANCELED", String(error));
    await assert.rejects(async () => await varve.build(options("FROM scratch\nCOPY a /\n")));
  });

  /** What the build rejected with after `end` was called while its RUN ran. */
  async function endInTheMiddle(varve: Varve, end: (controller: AbortController) => Promise<void>): Promise<unknown> {
    const controller = new AbortController();
    const pidsOfStep = () => {
      const worker = listDescendants(process.pid).filter(isOfWorker);
      // what an earlier build left to be written to the disk is this process's child, too
      return worker.flatMap((pid) => listDescendants(pid)).filter((pid) => !isOfWorker(pid));
    };
    const run = varve.build({ ...options("FROM busybox\nRUN echo begun; sleep 600\n"), signal: controller.signal });
    const settled = run.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    let steps: readonly number[] = [];
    let ending: Promise<void> | undefined;
    const seen = (async () => {
      for await (const event of run) {
        if (event.type !== "log" || ending) continue;
        steps = pidsOfStep();
        ending = end(controller);
      }
    })().catch((reason: unknown) => reason);
    const error = await settled;
    assert.ok(steps.length > 0, "the step had a process");
    assert.deepEqual(
      steps.filter((pid) => isAlive(pid)),
      [],
    );
    await Promise.all([seen, ending]);
    return error;
  }

  function isOfWorker(pid: number): boolean {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("worker-entry");
    } catch {
      return false; // it has ended meanwhile
    }
  }
});
