import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { describe, pathsIn, plant } from "./fixture.test.ts";
import { makeDirectory, makeFile, makeSymlink } from "./make.ts";
import { removePath } from "./remove.ts";

const owner = { uid: 5, gid: 6 };

test("L32 folders are made with their parents, all alike, and existing ones stay as they are", async (t) => {
  const root = plant(t, { "a/": { mode: 0o700, time: 9 } });
  await makeDirectory(root, { path: "/a/b/c", mode: 0o750, makeParents: true, timestamp: -1 }, { owner });
  assert.equal(describe(root, "a"), "dir 700 0:0 9");
  assert.equal(describe(root, "a/b"), "dir 750 5:6 0");
  assert.equal(describe(root, "a/b/c"), "dir 750 5:6 0");
  await makeDirectory(root, { path: "/a", mode: 0o777, makeParents: true, timestamp: 1 }, { owner });
  assert.equal(describe(root, "a"), "dir 700 0:0 9");
});

test("L32 a folder without parents needs its parent, and may exist", async (t) => {
  const root = plant(t, { "a/": {}, file: "" });
  const make = (path: string) => makeDirectory(root, { path, mode: 0o755, makeParents: false, timestamp: 3_000_000_000 });
  await make("/a/b");
  await make("/a/b");
  await make("/file");
  assert.equal(describe(root, "a/b"), "dir 755 0:0 3");
  await assert.rejects(make("/x/y"), { code: "TREE_NOT_FOUND" });
  await assert.rejects(makeDirectory(root, { path: "/file/x", mode: 0o755, makeParents: true, timestamp: -1 }), {
    code: "TREE_CONFLICT",
  });
});

test("L32 files are written through links inside the root, and an existing one keeps its mode", async (t) => {
  const root = plant(t, {
    "etc/conf": { text: "a longer old text", mode: 0o600, owner: [1, 1] },
    link: { link: "/etc/conf" },
    "etc/": { time: 4 },
  });
  const data = Buffer.from("new");
  await makeFile(root, { path: "/link", mode: 0o644, data, timestamp: -1 });
  assert.equal(describe(root, "etc/conf"), "file 600 1:1 0 new");
  await makeFile(root, { path: "/etc/other", mode: 0o4755, data, timestamp: 7_000_000_000 }, { owner });
  assert.equal(describe(root, "etc/other"), "file 755 5:6 7 new");
  assert.equal(describe(root, "etc"), "dir 755 0:0 4");
  await assert.rejects(makeFile(root, { path: "/etc", mode: 0o644, data, timestamp: -1 }), { code: "TREE_CONFLICT" });
  await assert.rejects(makeFile(root, { path: "/none/f", mode: 0o644, data, timestamp: -1 }), { code: "TREE_NOT_FOUND" });
});

test("L32 links are made as written, and take nothing's place", async (t) => {
  const root = plant(t, { there: "" });
  await makeSymlink(root, { oldPath: "../../etc/x", newPath: "/l", timestamp: -1 }, { owner });
  assert.equal(describe(root, "l"), "link  5:6 0 -> ../../etc/x");
  await assert.rejects(makeSymlink(root, { oldPath: "a", newPath: "/there", timestamp: -1 }), { code: "TREE_CONFLICT" });
});

test("L32 GHSA-32pv-7hq5-qhwq removing takes everything below, never what links lead to, and keeps the folder's time", async (t) => {
  const outside = plant(t, { precious: "" });
  const root = plant(t, { "a/": { time: 8 }, "a/b/c/d": "", "a/b/l": { link: outside }, "a/out": { link: outside }, keep: "" });
  const remove = (path: string, changes: { allowNotFound?: boolean; allowWildcard?: boolean } = {}) =>
    removePath(root, { path, allowNotFound: false, allowWildcard: false, ...changes });
  await remove("/a/b");
  await remove("/a/out");
  assert.deepEqual(pathsIn(root), ["/a", "/keep"]);
  assert.equal(describe(root, "a"), "dir 755 0:0 8");
  assert.deepEqual(pathsIn(outside), ["/precious"]);
  await assert.rejects(remove("/none"), { code: "TREE_NOT_FOUND" });
  await remove("/none", { allowNotFound: true });
  await remove("/none/below", { allowNotFound: true });
  await assert.rejects(remove("/"), { code: "TREE_CONFLICT" });
});

test("L32 removing by pattern takes every match, and may find none", async (t) => {
  const root = plant(t, { "tmp/a.log": "", "tmp/b.log": "", "tmp/c": "", "d.log/x": "", "l.log": { link: "/tmp/c" } });
  const remove = (path: string) => removePath(root, { path, allowNotFound: false, allowWildcard: true });
  await remove("/tmp/*.log");
  await remove("*.log");
  await remove("/nothing*");
  assert.deepEqual(pathsIn(root), ["/tmp", "/tmp/c"]);
  await assert.rejects(remove("/gone/*"), { code: "TREE_NOT_FOUND" });
  await removePath(root, { path: "/gone/*", allowNotFound: true, allowWildcard: true });
});

test("L32 a root that is not there is an error", async (t) => {
  const missing = join(plant(t), "none");
  await assert.rejects(makeDirectory(missing, { path: "/a", mode: 0o755, makeParents: true, timestamp: -1 }), {
    code: "TREE_NOT_FOUND",
  });
});
