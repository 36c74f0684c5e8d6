import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, linkSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { copyInto, type CopyOptions } from "./copy-into.ts";
import { openDirectoryTree } from "./directory-tree.ts";
import { copyOf, describe } from "./fixture.test.ts";
import type { Tree } from "./tree.ts";

const large = 3 * 1024 * 1024 + 17;

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "varve-large-copies-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

async function copyAll(from: string, to: string, options: CopyOptions = {}): Promise<void> {
  const tree = openDirectoryTree(from, { resetOwner: false });
  try {
    await copyInto(to, tree, copyOf("/", "/"), options);
  } finally {
    tree.close();
  }
}

test("C02 large files that are copied side by side keep their data, modes, times and links", async (t) => {
  const [from, to] = [folder(t), folder(t)];
  for (let index = 0; index < 6; index += 1) {
    const path = join(from, `file-${index}`);
    writeFileSync(path, randomBytes(large + index));
    chmodSync(path, 0o4750 - index);
    utimesSync(path, 100 + index, 200 + index);
  }
  linkSync(join(from, "file-0"), join(from, "file-0-again"));
  writeFileSync(join(from, "file-9-small"), "small");
  utimesSync(from, 5, 6);
  await copyAll(from, to);
  for (const name of ["file-0", "file-0-again", "file-1", "file-2", "file-3", "file-4", "file-5", "file-9-small"]) {
    assert.ok(readFileSync(join(to, name)).equals(readFileSync(join(from, name))), name);
    const [before, after] = [statSync(join(from, name)), statSync(join(to, name))];
    assert.deepEqual([after.mode, after.mtimeMs], [before.mode, before.mtimeMs], name);
  }
  assert.equal(statSync(join(to, "file-0")).ino, statSync(join(to, "file-0-again")).ino);
  assert.match(describe(to, "."), /^dir /);
  assert.equal(statSync(to).mtimeMs, 6_000);
});

test("C02 a copy that is given up, or finds a large file changed, waits for the others and tells the first reason", async (t) => {
  const [from, to] = [folder(t), folder(t)];
  for (let index = 0; index < 4; index += 1) writeFileSync(join(from, `file-${index}`), randomBytes(large));
  const given = new AbortController();
  const reason = new Error("given up");
  const copying = copyAll(from, to, { signal: given.signal });
  given.abort(reason);
  await assert.rejects(copying, reason);
  const tree = openDirectoryTree(from, { resetOwner: false });
  t.after(() => tree.close());
  const openFile: Tree["openFile"] = (entry) => {
    if (entry.path === "/file-1") writeFileSync(join(from, "file-0"), "another one"); // which is being copied then
    return tree.openFile(entry);
  };
  await assert.rejects(copyInto(folder(t), { ...tree, openFile }, copyOf("/", "/")), { code: "TREE_CHANGED" });
});
