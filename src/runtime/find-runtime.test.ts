import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isVarveError } from "../errors/index.ts";
import { findRuntime } from "./find-runtime.ts";

const missing = (error: unknown): boolean => isVarveError(error) && error.code === "RUNTIME_MISSING" && error.hint !== undefined;

test("crun is taken before runc, wherever on the PATH they are, and a wish is a wish", async () => {
  const [first, second] = [mkdtempSync(join(tmpdir(), "varve-path-")), mkdtempSync(join(tmpdir(), "varve-path-"))];
  writeFileSync(join(first, "runc"), "", { mode: 0o755 });
  writeFileSync(join(second, "crun"), "", { mode: 0o755 });
  const path = `${first}:relative:${second}`;
  assert.deepEqual(await findRuntime({ path }), { name: "crun", path: join(second, "crun") });
  assert.deepEqual(await findRuntime({ path, preferred: "runc" }), { name: "runc", path: join(first, "runc") });
  assert.deepEqual(await findRuntime({ path, preferred: join(first, "runc") }), { name: "runc", path: join(first, "runc") });
  await assert.rejects(findRuntime({ path, preferred: join(first, "crun") }), missing);
  await assert.rejects(findRuntime({ path, preferred: "youki" }), missing);
  for (const folder of [first, second]) rmSync(folder, { recursive: true });
});
