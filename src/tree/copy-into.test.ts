import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { lstatSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { lgetxattr, lsetxattr, mknod } from "../sys/index.ts";
import { copyInto, type CopyAction, type CopyOptions, type CopyTotals, type UnpackRequest } from "./copy-into.ts";
import { openDirectoryTree } from "./directory-tree.ts";
import { copyOf, describe, pathsIn, plant, type Planted } from "./fixture.test.ts";
import { decodeName } from "./names.ts";

interface Done {
  readonly source: string;
  readonly root: string;
  /** Description of a path of the result, see `describe`. */
  readonly at: (path: string) => string;
}

async function copy(
  t: TestContext,
  files: { from: Record<string, Planted> | string; to?: Record<string, Planted> | string },
  action: CopyAction,
  options: CopyOptions = {},
): Promise<Done> {
  const source = typeof files.from === "string" ? files.from : plant(t, files.from);
  const root = typeof files.to === "string" ? files.to : plant(t, files.to);
  const tree = openDirectoryTree(source, { resetOwner: false });
  try {
    await copyInto(root, tree, action, options);
  } finally {
    tree.close();
  }
  return { source, root, at: (path) => describe(root, path) };
}

test("C02 a folder's contents are copied, and merge with what is there", async (t) => {
  const from = { "d/a": "new", "d/sub/b": "b", "d/sub/": { mode: 0o700, owner: [3, 4] as [number, number], time: 42 } };
  const to = { "x/a": "old", "x/keep": "k", "x/sub/c": "c" };
  const { root, at } = await copy(t, { from, to }, copyOf("/d", "/x"));
  assert.deepEqual(pathsIn(root), ["/x", "/x/a", "/x/keep", "/x/sub", "/x/sub/b", "/x/sub/c"]);
  assert.equal(at("x/a"), "file 644 0:0 1000000 new");
  assert.equal(at("x/sub"), "dir 700 3:4 42");
});

test("C02 a file never takes a folder's place, nor a folder a file's or a link's", async (t) => {
  const conflict = { code: "TREE_CONFLICT" };
  await assert.rejects(copy(t, { from: { "d/a": "" }, to: { "x/a/": {} } }, copyOf("/d", "/x")), conflict);
  await assert.rejects(copy(t, { from: { "d/a/b": "" }, to: { "x/a": "" } }, copyOf("/d", "/x")), conflict);
  await assert.rejects(copy(t, { from: { "d/a/b": "" }, to: { "x/a": { link: "/" } } }, copyOf("/d", "/x")), conflict);
  await assert.rejects(copy(t, { from: { a: "" }, to: { x: "" } }, copyOf("/a", "/x/y")), conflict);
});

test("C02 everything gives way where the action says so", async (t) => {
  const from = { "d/a": "file", "d/b/c": "folder" };
  const to = { "x/a/deep/er": "", "x/b": { link: "/etc" }, "x/stays": "" };
  const { root, at } = await copy(t, { from, to }, copyOf("/d", "/x", { alwaysReplaceExistingDestPaths: true }));
  assert.deepEqual(pathsIn(root), ["/x", "/x/a", "/x/b", "/x/b/c", "/x/stays"]);
  assert.match(at("x/a"), /file$/);
});

test("C03 a slash at the end of the destination makes it a folder, an existing folder takes the file in", async (t) => {
  const from = { f: "x" };
  assert.deepEqual(pathsIn((await copy(t, { from }, copyOf("/f", "/new"))).root), ["/new"]);
  assert.deepEqual(pathsIn((await copy(t, { from }, copyOf("/f", "/new/"))).root), ["/new", "/new/f"]);
  assert.deepEqual(pathsIn((await copy(t, { from }, copyOf("/f", "/new/."))).root), ["/new", "/new/f"]);
  assert.deepEqual(pathsIn((await copy(t, { from, to: { "old/": {} } }, copyOf("/f", "/old"))).root), ["/old", "/old/f"]);
  assert.deepEqual(pathsIn((await copy(t, { from }, copyOf("/f", "../../../up"))).root), ["/up"]);
});

test("C03 folders on the way get 0755 or the mode given, the owner given, and no time of a clock", async (t) => {
  const from = { f: "x" };
  const plain = await copy(t, { from }, copyOf("/f", "/a/b/c"));
  assert.equal(plain.at("a"), "dir 755 0:0 0");
  assert.equal(plain.at("a/b"), "dir 755 0:0 0");
  const owned = await copy(t, { from }, copyOf("/f", "/a/b/c", { mode: 0o2750 }), {
    owner: { uid: 7, gid: 8 },
    createdTime: { sec: 99n, nsec: 0 },
  });
  assert.equal(owned.at("a/b"), "dir 750 7:8 99");
  assert.equal(owned.at("a/b/c"), "file 2750 7:8 1000000 x");
  const stamped = await copy(t, { from }, copyOf("/f", "/a/c", { timestamp: 5_000_000_000, modeStr: "go=" }));
  assert.equal(stamped.at("a"), "dir 755 0:0 5");
  assert.equal(stamped.at("a/c"), "file 600 0:0 5 x");
});

test("C03 folders that are only written into keep their times", async (t) => {
  const to = { "etc/": { time: 77 }, "etc/deep/": { time: 78 }, "etc/deep/f": "old" };
  const { root, at } = await copy(t, { from: { f: "x" }, to }, copyOf("/f", "/etc/deep/f"));
  assert.equal(at("etc"), "dir 755 0:0 77");
  assert.equal(at("etc/deep"), "dir 755 0:0 78");
  assert.equal(statSync(root, { bigint: true }).mtimeNs, 1_000_000_123_456_789n);
  const made = await copy(t, { from: { f: "x" }, to }, copyOf("/f", "/etc/new/f"));
  assert.equal(made.at("etc"), "dir 755 0:0 77");
});

test("C03 without leave to make it, the destination's folder must exist", async (t) => {
  const action = copyOf("/f", "/no/f", { createDestPath: false });
  await assert.rejects(copy(t, { from: { f: "" } }, action), { code: "TREE_NOT_FOUND", message: '"/no": not found' });
});

test("C02 a new folder for contents has the parents' mode and the source's time; a folder copied whole keeps its own", async (t) => {
  const from = { "d/": { mode: 0o700, owner: [1, 2] as [number, number], time: 55 }, "d/f": "" };
  assert.equal((await copy(t, { from }, copyOf("/d", "/new"))).at("new"), "dir 755 0:0 55");
  assert.equal((await copy(t, { from }, copyOf("/d", "/new", { dirCopyContents: false }))).at("new"), "dir 700 1:2 55");
  const into = await copy(t, { from, to: { "old/": {} } }, copyOf("/d", "/old", { dirCopyContents: false }));
  assert.deepEqual(pathsIn(into.root), ["/old", "/old/d", "/old/d/f"]);
});

test("C04 links in the destination lead somewhere inside the root only", async (t) => {
  const outside = plant(t, { "victim/": {} });
  const to = {
    abs: { link: join(outside, "victim") },
    up: { link: "../../../../../../../../tmp" },
    "app/": {},
    current: { link: "app" },
    file: { link: "/app/target" },
  };
  const root = plant(t, to);
  await copy(t, { from: { f: "x" }, to: root }, copyOf("/f", "/abs/f"));
  await copy(t, { from: { f: "x" }, to: root }, copyOf("/f", "/up/f"));
  await copy(t, { from: { f: "x" }, to: root }, copyOf("/f", "/current/"));
  await copy(t, { from: { f: "x" }, to: root }, copyOf("/f", "/file"));
  assert.deepEqual(pathsIn(outside), ["/victim"]);
  for (const path of [`${outside}/victim/f`, "tmp/f", "app/f", "app/target"])
    assert.match(describe(root, path), /^file .* x$/, path);
});

test("C04 a link that stands where a file goes is replaced, not written through", async (t) => {
  const { at } = await copy(t, { from: { "d/f": "x" }, to: { "x/f": { link: "/victim" }, victim: "safe" } }, copyOf("/d", "/x"));
  assert.match(at("x/f"), /^file/);
  assert.match(at("victim"), /safe$/);
});

test("C04 links in a circle at the destination are an error", async (t) => {
  const to = { a: { link: "b" }, b: { link: "a" } };
  await assert.rejects(copy(t, { from: { f: "" }, to }, copyOf("/f", "/a/x")), { code: "TREE_LOOP" });
});

test("C07 mode, owner, nanoseconds and link targets are kept", async (t) => {
  const from = {
    "d/tool": { text: "x", mode: 0o4755, owner: [11, 12] as [number, number], time: 1_234 },
    "d/link": { link: "../any/../where", owner: [5, 6] as [number, number], time: 4_321 },
    "d/locked": { text: "y", mode: 0 },
  };
  const { root, at } = await copy(t, { from }, copyOf("/d", "/x"));
  assert.equal(at("x/tool"), "file 4755 11:12 1234 x");
  assert.equal(at("x/link"), "link  5:6 4321 -> ../any/../where");
  assert.equal(at("x/locked"), "file 0 0:0 1000000 y");
  assert.equal(lstatSync(join(root, "x/tool"), { bigint: true }).mtimeNs, 1_234_123_456_789n);
});

test("C07 hard links stay links within one source, not between two", async (t) => {
  const from = { "d/a": "x", "d/b": { sameAs: "d/a" }, "e/c": { sameAs: "d/a" } };
  const { root } = await copy(t, { from }, copyOf("/d", "/x"));
  assert.equal(statSync(join(root, "x/a")).ino, statSync(join(root, "x/b")).ino);
  const both = await copy(t, { from }, copyOf("/*/[ac]", "/y/"));
  assert.notEqual(statSync(join(both.root, "y/a")).ino, statSync(join(both.root, "y/c")).ino);
});

test("C07 attributes are kept, overlay's own marks are not", async (t) => {
  const source = plant(t, { f: "x", "d/": {} });
  const set = (path: string, name: string): void => lsetxattr(join(source, path), name, Buffer.from("y"));
  set("f", "user.note");
  set("f", "trusted.overlay.metacopy");
  set("d", "trusted.overlay.opaque");
  set("d", "trusted.mine");
  const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
  lsetxattr(join(source, "f"), "security.capability", capability);
  const { root } = await copy(t, { from: source }, copyOf("/", "/x"), { owner: { uid: 1, gid: 1 } });
  const get = (path: string, name: string): string | undefined => lgetxattr(join(root, path), name)?.toString("latin1");
  assert.equal(get("x/f", "user.note"), "y");
  assert.equal(get("x/f", "security.capability"), capability.toString("latin1"));
  assert.equal(get("x/d", "trusted.mine"), "y");
  assert.equal(get("x/f", "trusted.overlay.metacopy"), undefined);
  assert.equal(get("x/d", "trusted.overlay.opaque"), undefined);
});

test("C07 pipes and devices are made anew, a socket becomes an empty file", async (t) => {
  const source = plant(t, { "d/": {} });
  mknod(join(source, "d/pipe"), 0o010644);
  mknod(join(source, "d/null"), 0o020666, { major: 1, minor: 3 });
  mknod(join(source, "d/disk"), 0o060600, { major: 7, minor: 0 });
  mknod(join(source, "d/sock"), 0o140755);
  const { root } = await copy(t, { from: source }, copyOf("/d", "/x"));
  const type = (name: string): string => (lstatSync(join(root, "x", name)).mode & 0o170000).toString(8);
  assert.deepEqual(["pipe", "null", "disk", "sock"].map(type), ["10000", "20000", "60000", "100000"]);
  assert.equal(lstatSync(join(root, "x/null")).rdev, 0x103);
});

test("C07 names that are not UTF-8 are copied byte by byte", async (t) => {
  const source = plant(t);
  const name = Buffer.from([0xff, 0x2d, 0xc3]);
  writeFileSync(Buffer.concat([Buffer.from(`${source}/`), name]), "x");
  symlinkSync(name, Buffer.concat([Buffer.from(`${source}/`), Buffer.from("to"), name]));
  const { root } = await copy(t, { from: source }, copyOf("/", "/x"));
  assert.deepEqual(pathsIn(root), ["/x", `/x/to${decodeName(name)}`, `/x/${decodeName(name)}`]);
  assert.match(describe(root, `x/to${decodeName(name)}`), new RegExp(`-> ${decodeName(name)}$`));
});

test("C08 the owner given is everything's", async (t) => {
  const from = { "d/a": { text: "", owner: [1, 1] as [number, number] }, "d/s/l": { link: "a" } };
  const { at } = await copy(t, { from }, copyOf("/d", "/x"), { owner: { uid: 1000, gid: 2000 } });
  for (const path of ["x", "x/a", "x/s", "x/s/l"]) assert.match(at(path), / 1000:2000 /, path);
});

test("C09 the mode given is that of files and folders, octal or symbolic", async (t) => {
  const from = { "d/a": "", "d/run": { text: "", mode: 0o700 }, "d/s/f": "" };
  const octal = await copy(t, { from }, copyOf("/d", "/x", { mode: 0o711 }));
  assert.deepEqual(
    ["x/a", "x/s", "x"].map((path) => octal.at(path).split(" ")[1]),
    ["711", "711", "711"],
  );
  const symbolic = await copy(t, { from }, copyOf("/d", "/x", { modeStr: "u=rwX,go=rX" }));
  assert.deepEqual(
    ["x/a", "x/run", "x/s"].map((path) => symbolic.at(path).split(" ")[1]),
    ["644", "755", "755"],
  );
  await assert.rejects(copy(t, { from }, copyOf("/d", "/x", { modeStr: "wild" })), { code: "TREE_MODE" });
});

test("C11 parents of what is included are made, those that exist only take the source's mode", async (t) => {
  const from = {
    "a/b/f": "x",
    "a/": { mode: 0o711, owner: [1, 1] as [number, number], time: 11 },
    "a/b/": { mode: 0o750, time: 12 },
    "a/no": "",
  };
  const action = copyOf("/", "/to/", { includePatterns: ["a/*/f"] });
  const fresh = await copy(t, { from }, action);
  assert.deepEqual(pathsIn(fresh.root), ["/to", "/to/a", "/to/a/b", "/to/a/b/f"]);
  assert.equal(fresh.at("to/a"), "dir 711 1:1 11");
  const merged = await copy(t, { from, to: { "to/a/": { owner: [9, 9], time: 99 } } }, action);
  assert.equal(merged.at("to/a"), "dir 711 9:9 99");
  assert.equal(merged.at("to/a/b"), "dir 750 0:0 12");
});

test("C05 every match of a pattern goes into the folder under its own name", async (t) => {
  const from = { "a.txt": "", "b.txt": "", "c.md": "", "d.txt/in": "" };
  const { root } = await copy(t, { from }, copyOf("/*.txt", "/to/"));
  assert.deepEqual(pathsIn(root), ["/to", "/to/a.txt", "/to/b.txt", "/to/in"]);
});

test("C06 a pattern without matches writes nothing, not even folders", async (t) => {
  assert.deepEqual(pathsIn((await copy(t, { from: {} }, copyOf("/*.txt", "/to/"))).root), []);
});

test("C13 what the caller unpacks is not copied, what it declines is", async (t) => {
  const seen: Pick<UnpackRequest, "name" | "size" | "destination">[] = [];
  const unpack = (request: UnpackRequest): boolean => {
    seen.push({ name: request.name, size: request.size, destination: request.destination });
    if (readFileSync(request.path, "utf8") !== "archive") return false;
    writeFileSync(`/proc/self/fd/${request.openDestination()}/unpacked`, "");
    return true;
  };
  const from = { "a.tar": "archive", b: "plain", "dir/c": "" };
  const { root, at } = await copy(
    t,
    { from, to: { link: { link: "real" } } },
    copyOf("/*", "/link/x/", { attemptUnpack: true }),
    { unpack },
  );
  assert.deepEqual(pathsIn(root), ["/link", "/real", "/real/x", "/real/x/b", "/real/x/c", "/real/x/unpacked"]);
  assert.deepEqual(seen, [
    { name: "/a.tar", size: 7, destination: "/real/x" },
    { name: "/b", size: 5, destination: "/real/x" },
  ]);
  assert.match(at("real"), /^dir 755 0:0 0$/);
});

test("C07 a file beyond the size that is copied at once arrives whole, and holes cost no memory", async (t) => {
  const source = plant(t, { big: "start" });
  truncateSync(join(source, "big"), 70 * 1024 * 1024);
  const progress: CopyTotals[] = [];
  const { root } = await copy(t, { from: source }, copyOf("/big", "/big"), { onProgress: (done) => progress.push(done) });
  assert.equal(spawnSync("cmp", [join(source, "big"), join(root, "big")]).status, 0);
  assert.equal(progress.at(-1)?.entries, 1);
});

test("C07 a copy that is called off stops with the caller's reason", async (t) => {
  const reason = new Error("enough");
  await assert.rejects(copy(t, { from: { a: "" } }, copyOf("/", "/x"), { signal: AbortSignal.abort(reason) }), reason);
});

test("C07 a file that changes between listing and copying is an error", async (t) => {
  const source = plant(t, { "d/a": "one", "d/b": "two" });
  const tree = openDirectoryTree(source, { resetOwner: true });
  t.after(() => tree.close());
  const meddling = {
    ...tree,
    children: (path: string) => {
      const entries = tree.children(path);
      writeFileSync(join(source, "d/b"), "longer");
      return entries;
    },
  };
  await assert.rejects(copyInto(plant(t), meddling, copyOf("/d", "/x")), { code: "TREE_CHANGED", details: { path: "/d/b" } });
});
