import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

/** Removes what it is sent when the other one is ready too, and says whether anything of it is left. */
const remover = `
const { parentPort, workerData: { ready, module } } = require("node:worker_threads");
const { existsSync } = require("node:fs");
parentPort.on("message", async ({ path, round }) => {
  const { runRemoveTask } = await import(module);
  Atomics.add(ready, 0, 1);
  while (Atomics.load(ready, 0) < 2 * round);
  await runRemoveTask({ paths: [path] });
  parentPort.postMessage(existsSync(path));
});`;

test("what two sweeps remove at the same time is gone when either of them has ended", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "varve-remove-"));
  const workerData = { ready: new Int32Array(new SharedArrayBuffer(4)), module: import.meta.resolve("./remove-task.ts") };
  const removers = [1, 2].map(() => new Worker(remover, { eval: true, workerData }));
  t.after(async () => {
    await Promise.all(removers.map(async (each) => await each.terminate()));
    rmSync(folder, { recursive: true });
  });
  for (let round = 1; round <= 10; round += 1) {
    const path = join(folder, String(round));
    for (let number = 0; number < 150; number += 1) {
      mkdirSync(join(path, `d${number % 10}`), { recursive: true });
      writeFileSync(join(path, `d${number % 10}`, `f${number}`), "");
    }
    const answers = removers.map(async (each) => ((await once(each, "message")) as [boolean])[0]);
    for (const each of removers) each.postMessage({ path, round });
    assert.deepEqual(await Promise.all(answers), [false, false]);
  }
});
