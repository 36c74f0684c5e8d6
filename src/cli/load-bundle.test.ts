import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

test("a bundle runs from compiled code, which other bundles and damage only make slower", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "varve-bundle-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const bundle = join(folder, "bundle.cjs");
  const cacheFolder = join(folder, "cache");
  const run = (learn = true) => {
    const script = `import { loadBundle } from ${JSON.stringify(join(import.meta.dirname, "load-bundle.ts"))};
      const loaded = loadBundle(${JSON.stringify(bundle)}, { cacheFolder: ${JSON.stringify(cacheFolder)}, learn: ${learn} });
      console.log(await loaded.say());`;
    const { NODE_DISABLE_COMPILE_CACHE: _, ...env } = process.env;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { env, encoding: "utf8" });
    return stdout.trim() || stderr;
  };
  const write = (word: string) =>
    writeFileSync(bundle, `exports.say = () => "${word} " + require("node:path").basename(__filename);`);
  const caches = () => readdirSync(cacheFolder).map((name) => join(cacheFolder, name));

  write("one");
  assert.deepEqual([run(false), run(), run()], Array(3).fill("one bundle.cjs"));
  const [cache = ""] = caches();
  assert.equal(statSync(cache).mode & 0o777, 0o600);

  write("two"); // as long as the other: V8 itself would take the one's code for it
  assert.equal(run(), "two bundle.cjs");
  assert.equal(caches().length, 2);

  for (const path of caches()) writeFileSync(path, readFileSync(path).subarray(0, -100));
  assert.equal(run(), "two bundle.cjs");
});
