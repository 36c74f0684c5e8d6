/** A context that is written to while a build reads it. Needs the worker, but no runtime and no network. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { openVarve } from "../../src/engine/index.ts";
import { isVarveError } from "../../src/errors/index.ts";

interface Outcome {
  readonly error: unknown;
  readonly cached: boolean;
}

function prepare(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "varve-changed-"));
  // the sync after a build may leave its mark meanwhile
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  const context = join(folder, "context");
  mkdirSync(join(context, "src"), { recursive: true });
  writeFileSync(join(context, "Dockerfile"), "FROM scratch\nCOPY src /src\n");
  writeFileSync(join(context, "src/a"), "one");
  writeFileSync(join(context, "src/b"), "same");
  /** Builds; `meddle` is called when the COPY begins, after its files were hashed. */
  const build = async (meddle?: () => void): Promise<Outcome> => {
    await using varve = openVarve({
      root: join(folder, "store"),
      configPath: join(folder, "none.toml"),
      path: process.env["PATH"] ?? "",
    });
    const run = varve.build({ context: { kind: "folder", path: context }, outputs: [{ type: "cacheonly" }] });
    let cached = false;
    for await (const event of run) {
      if (event.type !== "vertex" || !event.name.includes("COPY src")) continue;
      if (event.started === undefined) continue;
      if (event.completed === undefined) meddle?.();
      else cached = event.cached === true;
    }
    return run.then(
      () => ({ error: undefined, cached }),
      (error: unknown) => ({ error, cached }),
    );
  };
  return { context, build };
}

test("C19 files that change between their hashing and their copying fail the step by name, and nothing of it is cached", async (t) => {
  const { context, build } = prepare(t);
  const { error } = await build(() => writeFileSync(join(context, "src/a"), "two"));
  assert.ok(isVarveError(error), String(error));
  assert.equal(error.code, "CONTEXT_CHANGED");
  assert.equal(error.message, "the build context changed while it was read: src/a");
  assert.equal(error.where?.startLine, 2);
  writeFileSync(join(context, "src/a"), "one");
  assert.deepEqual(await build(), { error: undefined, cached: false });
  assert.deepEqual(await build(), { error: undefined, cached: true });
});

test("C19 what no step reads may change, and so may times", async (t) => {
  const { context, build } = prepare(t);
  const meddle = (): void => {
    writeFileSync(join(context, "log"), "more");
    utimesSync(join(context, "src/b"), 5, 5);
  };
  assert.equal((await build(meddle)).error, undefined);
});
