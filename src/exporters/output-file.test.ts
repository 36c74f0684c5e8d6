import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { withOutputFile } from "./output-file.ts";

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "varve-output-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test("E03 an output has all bytes in their order, however many wait for the disk", async (t) => {
  const dest = join(folder(t), "below", "out");
  const chunks = Array.from({ length: 60 }, (_, index) => Buffer.alloc(index % 7 === 0 ? 1 << 20 : 333, index));
  await withOutputFile(dest, async (sink) => {
    for (const chunk of chunks) await sink(chunk);
  });
  assert.ok(readFileSync(dest).equals(Buffer.concat(chunks)));
});

test("E03 an output that fails leaves what was there, and nothing beside it", async (t) => {
  const place = folder(t);
  const dest = join(place, "out");
  writeFileSync(dest, "before");
  const failing = withOutputFile(dest, async (sink) => {
    await sink(Buffer.alloc(1 << 22));
    throw new Error("no more");
  });
  await assert.rejects(failing, /no more/);
  assert.equal(readFileSync(dest, "utf8"), "before");
  assert.deepEqual(readdirSync(place), ["out"]);
  const full = withOutputFile("/dev/full/out", async (sink) => sink(Buffer.alloc(1)));
  await assert.rejects(full, { code: "OUTPUT_FAILED" });
});
