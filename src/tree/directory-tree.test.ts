import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { openDirectoryTree, type DirectoryTreeOptions } from "./directory-tree.ts";
import { plant } from "./fixture.test.ts";
import { decodeName } from "./names.ts";
import { openRootedFolder } from "./rooted-folder.ts";
import type { ContentCache, FolderMemory, Tree, TreeEntry } from "./tree.ts";

function open(t: TestContext, root: string, options: Partial<DirectoryTreeOptions> = {}): Tree {
  const tree = openDirectoryTree(root, { resetOwner: true, ...options });
  t.after(() => tree.close());
  return tree;
}

function all(tree: Tree): string[] {
  const visit = (path: string): string[] =>
    tree.children(path).flatMap((entry) => [entry.path, ...(entry.type === "directory" ? visit(entry.path) : [])]);
  return visit("/");
}

const at = (tree: Tree, path: string): TreeEntry => {
  const entry = tree.entry(path);
  assert.ok(entry, path);
  return entry;
};

test("G02 what the ignore file matches is not there, by walking or by name", (t) => {
  const root = plant(t, { "a.log": "", "a.txt": "", "tmp/x": "", "src/b.log": "", "src/c": "" });
  const tree = open(t, root, { exclude: ["**/*.log", "tmp"] });
  assert.deepEqual(all(tree), ["/a.txt", "/src", "/src/c"]);
  for (const path of ["/a.log", "/tmp", "/tmp/x", "/src/b.log"]) assert.equal(tree.entry(path), undefined, path);
});

test("G05 an excluded folder is there only when a negation brings something in it back", (t) => {
  const root = plant(t, { "docs/a": "", "docs/deep/keep/x": "", "docs/other/y": "", "b/c": "" });
  const tree = open(t, root, { exclude: ["*", "!docs/deep/keep"] });
  assert.deepEqual(all(tree), ["/docs", "/docs/deep", "/docs/deep/keep", "/docs/deep/keep/x"]);
  assert.equal(tree.entry("/docs")?.type, "directory");
  assert.equal(tree.entry("/docs/other"), undefined);
  assert.equal(tree.entry("/b"), undefined);
});

test("G07 only what is asked for is there, with the links on the way and their targets", (t) => {
  const root = plant(t, {
    "src/main.go": "",
    "other/x": "",
    "real/dir/file": "",
    "real/more": "",
    link: { link: "real/dir" },
    abs: { link: "/other/x" },
    "lib/a.ts": "",
    "lib/b.js": "",
  });
  assert.deepEqual(all(open(t, root, { only: ["src"] })), ["/src", "/src/main.go"]);
  assert.deepEqual(all(open(t, root, { only: ["/link/file"] })), ["/link", "/real", "/real/dir", "/real/dir/file"]);
  assert.deepEqual(all(open(t, root, { only: ["ab?"] })), ["/abs", "/other", "/other/x"]);
  assert.deepEqual(all(open(t, root, { only: ["lib/*.ts"] })), ["/lib", "/lib/a.ts"]);
  assert.equal(all(open(t, root, { only: ["src", "/"] })).length, 13);
  assert.deepEqual(all(open(t, root, { only: ["src", "lib"], exclude: ["**/*.js"] })), [
    "/lib",
    "/lib/a.ts",
    "/src",
    "/src/main.go",
  ]);
});

test("G07 links in a circle do not keep the narrowing busy for ever", (t) => {
  const root = plant(t, { grow: { link: "grow/x" }, a: { link: "b" }, b: { link: "a" }, c: "" });
  assert.deepEqual(all(open(t, root, { only: ["a"] })), ["/a", "/b"]);
  assert.ok(all(open(t, root, { only: ["grow"] })).includes("/grow"));
});

test("C07 a context belongs to 0:0, and its root has no traits of the checkout", (t) => {
  const root = plant(t, { a: { text: "x", owner: [123, 456], mode: 0o640 } });
  const tree = open(t, root);
  const { uid, gid, mode, size, type, mtimeNs } = at(tree, "/a");
  assert.deepEqual(
    { uid, gid, mode, size, type, mtimeNs },
    { uid: 0, gid: 0, mode: 0o640, size: 1, type: "file", mtimeNs: 1_000_000_123_456_789n },
  );
  assert.equal(at(tree, "/").mtimeNs, 0n);
  assert.equal(at(open(t, root, { resetOwner: false }), "/a").uid, 123);
  assert.notEqual(at(open(t, root, { resetOwner: false }), "/").mtimeNs, 0n);
});

test("C04 hostile links never lead out of the context", (t) => {
  const root = plant(t, {
    passwd: { link: "/etc/passwd" },
    "deep/up": { link: "../../../../../../etc/passwd" },
    outside: { link: "/" },
    "etc/passwd": "inside",
    self: { link: "/proc/self/root/etc/passwd" },
  });
  const tree = open(t, root);
  for (const path of ["/passwd", "/deep/up", "/outside/etc/passwd", "/outside/outside/passwd"]) {
    assert.equal(tree.resolve(path, { followLast: true }), "/etc/passwd", path);
  }
  const fd = tree.openFile(at(tree, tree.resolve("/deep/up", { followLast: true })));
  assert.equal(readFileSync(fd, "utf8"), "inside");
  assert.equal(tree.entry(tree.resolve("/self", { followLast: true })), undefined);
});

test("C04 a folder that becomes a link while the tree is open is not followed", (t) => {
  const root = plant(t, { "a/x": "in", "etc/": {} });
  const tree = open(t, root);
  const entry = at(tree, "/a/x");
  spawnSync("mv", [join(root, "a"), join(root, "b")]);
  symlinkSync("/etc", join(root, "a"));
  const again = open(t, root);
  assert.equal(again.entry("/a/hostname"), undefined);
  assert.equal(tree.entry("/a/hostname"), undefined);
  assert.equal(entry.type, "file");
});

test("C07 names that are not UTF-8 are listed, found and read", (t) => {
  const root = plant(t);
  const name = Buffer.from([0x61, 0xff, 0xfe]);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), "bytes");
  const tree = open(t, root);
  const path = `/${decodeName(name)}`;
  assert.deepEqual(all(tree), [path]);
  assert.equal(readFileSync(tree.openFile(at(tree, path)), "utf8"), "bytes");
});

test("C07 trees deeper than the longest path and wider than the open folders are walked", (t) => {
  const root = plant(t);
  const script = "d=$(printf 'x%.0s' $(seq 100)); for i in $(seq 200); do mkdir $d && cd $d || exit 1; done; echo hi > end";
  assert.equal(spawnSync("bash", ["-c", script], { cwd: root }).status, 0);
  const paths = all(open(t, root));
  assert.equal(paths.length, 201);
  const tree = open(t, root);
  assert.equal(at(tree, paths.at(-1) ?? "").size, 3);
  spawnSync("rm", ["-rf", root]);
  mkdirSync(root);
});

test("C06 why a path is missing: the nearest that exists, and the pattern that hides it", (t) => {
  const root = plant(t, { "a/b/c": "", "a/x.log": "" });
  const tree = open(t, root, { exclude: ["**/*.log"] });
  assert.deepEqual(tree.whyMissing("/a/b/d/e"), { nearest: "/a/b", excludedBy: undefined, names: ["c"] });
  const narrowed = open(t, root, { only: ["a/y"] });
  assert.deepEqual(narrowed.whyMissing("/a/y"), { nearest: "/a", excludedBy: undefined, names: ["b", "x.log"] });
  assert.deepEqual(tree.whyMissing("/a/x.log"), { nearest: "/a", excludedBy: "**/*.log", names: ["b"] });
});

test("C19 a file that changed since it was listed is not read", (t) => {
  const root = plant(t, { a: "one" });
  const tree = open(t, root);
  const entry = at(tree, "/a");
  writeFileSync(join(root, "a"), "three");
  assert.throws(() => tree.openFile(entry), { code: "TREE_CHANGED" });
  assert.throws(() => tree.contentOf(entry), { code: "TREE_CHANGED", details: { path: "/a" } });
});

test("C19 remembered contents are not read again", (t) => {
  const root = plant(t, { a: "one", b: "two" });
  const remembered = new Map<string, FolderMemory>();
  const cache: ContentCache = {
    recall: (dev, ino) => remembered.get(`${dev}:${ino}`),
    remember: (dev, ino, memory) => void remembered.set(`${dev}:${ino}`, memory),
  };
  const first = open(t, root, { cache });
  const content = first.contentOf(at(first, "/a"));
  assert.match(content, /^7692c3ad/);
  first.settle();
  const [key, memory] = [...remembered][0] ?? assert.fail();
  assert.equal(memory.names, "a");
  // The file is younger than two seconds, and so nothing is known of it: it may change again without a trace.
  assert.ok(memory.records.every((byte) => byte === 0));
  // What is remembered is believed for the same record, here shown by a content that nothing could have read.
  const folder = openRootedFolder(root);
  const record = folder.records("/", ["a"]);
  folder.close();
  const told = { ...memory, records: record, contents: () => ["told"] };
  remembered.set(key, told);
  const again = (): string => {
    const tree = open(t, root, { cache });
    return tree.contentOf(at(tree, "/a"));
  };
  assert.equal(again(), "told");
  for (const place of [4, 8, 12, 16, 24, 32, 40, 48, 56]) {
    const other = Buffer.from(record);
    other.writeUInt8(other.readUInt8(place) ^ 1, place);
    remembered.set(key, { ...told, records: other });
    assert.equal(again(), content, `byte ${place}`);
  }
});

test("C19 a folder in which nothing changed is known, and one in which anything did is not", (t) => {
  const root = plant(t, { "d/a": "one", "d/b": "two", "d/sub/c": "three" });
  const remembered = new Map<string, FolderMemory>();
  const cache: ContentCache = {
    recall: (dev, ino) => remembered.get(`${dev}:${ino}`),
    remember: (dev, ino, memory) => void remembered.set(`${dev}:${ino}`, memory),
  };
  const known = (exclude: string[] = []): unknown => open(t, root, { cache, exclude }).list("/d").known;
  const keep = (): void => {
    const tree = open(t, root, { cache });
    const listing = tree.list("/d");
    for (const entry of listing.entries()) tree.contentOf(entry);
    listing.keep("digest");
    tree.settle();
  };
  utimesSync(join(root, "d"), 1, 1);
  keep();
  // These files are younger than two seconds: they may change again without a trace.
  assert.equal(known(), undefined);
  for (const [key, memory] of remembered) {
    const tree = openRootedFolder(root);
    const names = tree.names("/d");
    remembered.set(key, { ...memory, records: tree.records("/d", names) });
    tree.close();
  }
  assert.deepEqual(known(), { digest: "digest", folders: ["sub"] });
  assert.deepEqual(known(["other"]), { digest: "digest", folders: ["sub"] });
  assert.equal(known(["d/a"]), undefined);
  writeFileSync(join(root, "d/a"), "ONE");
  assert.equal(known(), undefined);
});

test("C01 a missing folder, and a file in its place, are errors", (t) => {
  const root = plant(t, { file: "" });
  assert.throws(() => openDirectoryTree(join(root, "none"), { resetOwner: true }), { code: "TREE_NOT_FOUND" });
  assert.throws(() => openDirectoryTree(join(root, "file"), { resetOwner: true }), { code: "TREE_CONFLICT" });
  assert.throws(() => openDirectoryTree(root, { resetOwner: true, exclude: ["[a"] }), { code: "TREE_PATTERN" });
});
