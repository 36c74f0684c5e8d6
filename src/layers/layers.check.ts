/** Run by layers.test.ts in its namespaces: what layers mean, and that packing and unpacking undo each other. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { writeFileSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { lgetxattr, lsetxattr, mknod, utimensNoFollow } from "../sys/index.ts";
import { readTar } from "../tar/index.ts";
import {
  apply,
  archiveOf,
  capability,
  diff,
  failsWith,
  freshFolder,
  inChunks,
  layerOf,
  listStack,
  listTree,
  mounted,
  userXattr,
  type Item,
} from "./layer-fixture.check.ts";
import { applyLayer, diffLayer } from "./index.ts";

const dir = (path: string, more: Partial<Item> = {}): Item => ({ mode: 0o755, ...more, type: "directory", path });

const lowerItems: readonly Item[] = [
  dir("etc", { mode: 0o750, uid: 1, gid: 2 }),
  { path: "etc/passwd", body: "root\n" },
  { path: "etc/group", body: "root\n" },
  dir("gone"),
  { path: "gone/file", body: "x" },
  dir("replaced"),
  dir("replaced/sub"),
  { path: "replaced/old", body: "old" },
  { path: "replaced/sub/old", body: "old" },
  { path: "replaced/kept", body: "kept", mode: 0o600 },
  { path: "to-folder", body: "file" },
  dir("to-file"),
  { path: "to-file/x", body: "x" },
  dir("untouched"),
  { path: "untouched/x", body: "x" },
  dir("touched"),
  dir("chmodded"),
  { path: "chmodded/x", body: "x" },
  { path: "moved", body: "moved and back" },
  { type: "symlink", path: "link", linkPath: "etc/passwd", mode: 0o777 },
  { path: "bin", body: "#!", mode: 0o4755, xattrs: [["security.capability", capability]] },
];

function change(root: string): void {
  const at = (name: string): string => join(root, name);
  writeFileSync(at("etc/passwd"), "root\nme\n");
  rmSync(at("gone"), { recursive: true });
  rmSync(at("replaced"), { recursive: true });
  mkdirSync(at("replaced/sub"), { recursive: true });
  writeFileSync(at("replaced/new"), "new");
  writeFileSync(at("replaced/sub/new"), "new");
  rmSync(at("to-folder"));
  mkdirSync(at("to-folder"));
  writeFileSync(at("to-folder/x"), "x");
  rmSync(at("to-file"), { recursive: true });
  writeFileSync(at("to-file"), "now a file");
  utimesSync(at("touched"), 7, 7);
  chmodSync(at("chmodded"), 0o700);
  renameSync(at("moved"), at("elsewhere"));
  renameSync(at("elsewhere"), at("moved"));
  writeFileSync(at("temporary"), "");
  rmSync(at("temporary"));
  rmSync(at("link"));
  symlinkSync("x".repeat(150), at("link"));
  mkdirSync(at("new"), { mode: 0o1777 });
  writeFileSync(at("new/a"), Buffer.alloc(3_000_000, "a"));
  linkSync(at("new/a"), at("new/b"));
  linkSync(at("new/a"), at("a-first"));
  writeFileSync(Buffer.concat([Buffer.from(at("new/odd-")), Buffer.from([0xff, 0x80])]), "odd");
  writeFileSync(at("new/ünïcode"), "u");
  chownSync(at("new/ünïcode"), 1000, 1001);
  chmodSync(at("new/ünïcode"), 0o6711);
  lsetxattr(at("new/ünïcode"), "user.bytes", Buffer.from([0, 255, 10]));
  lsetxattr(at("new/a"), "security.capability", capability);
  mknod(at("new/pipe"), 0o010640);
  if (!userXattr) mknod(at("new/null"), 0o020666, { major: 1, minor: 3 });
  utimensNoFollow(at("new/odd-".replace("odd-", "ünïcode")), { mtime: { sec: -100n, nsec: 5 } });
  const sparse = openSync(at("new/sparse"), "w");
  writeSync(sparse, "end", 5_000_000);
  closeSync(sparse);
}

test("T44 what an overlay recorded, packed and unpacked again, shows the same tree; the bytes are the same twice", async () => {
  const lower = await layerOf(lowerItems);
  let seen: Record<string, string> = {};
  const upper = mounted([lower], (root) => {
    change(root);
    seen = listTree(root);
  });
  const [first, second] = [await diff(upper, [lower]), await diff(upper, [lower])];
  assert.ok(first.equals(second));
  const again = freshFolder("layer");
  await apply(first, again, [lower]);
  assert.deepEqual(listStack([lower, again]), seen);
  const third = await diff(again, [lower]);
  assert.ok(third.equals(first), "packing what was unpacked gives the same layer");

  const names: string[] = [];
  for await (const { path, type, linkPath } of readTar(inChunks(first)))
    names.push(`${path.toString("latin1")}${type === "link" ? ` = ${linkPath.toString()}` : ""}`);
  const listed = execFileSync("tar", ["-t", "--quoting-style=literal"], { input: first, maxBuffer: 1 << 24 });
  assert.equal(listed.toString().trim().split("\n").length, names.length);
  assert.deepEqual(
    names.filter((name) => !name.startsWith("new/n")),
    [
      "a-first",
      "chmodded/",
      "etc/",
      "etc/passwd",
      ".wh.gone",
      "link",
      "new/",
      "new/a = a-first",
      "new/b = a-first",
      "new/odd-\xff\x80",
      "new/pipe",
      "new/sparse",
      `new/${Buffer.from("ünïcode").toString("latin1")}`,
      "replaced/",
      "replaced/.wh.kept",
      "replaced/new",
      "replaced/.wh.old",
      "replaced/sub/",
      "replaced/sub/new",
      "replaced/sub/.wh.old",
      "to-file",
      "to-folder/",
      "to-folder/x",
    ],
  );
});

test("sockets, whiteouts of nothing and folders that only became older are not packed; times are bounded when asked", async () => {
  const lower = await layerOf([dir("d"), { path: "d/f", body: "f" }]);
  const server = createServer();
  const upper = mounted([lower], (root) => utimesSync(join(root, "d"), 9, 9));
  await new Promise<void>((resolve) => server.listen(join(upper, "socket"), resolve));
  mknod(join(upper, "nothing"), 0o020000);
  assert.equal((await diff(upper, [lower])).length, 1024);
  server.close();
  writeFileSync(join(upper, "new"), "");
  utimesSync(join(upper, "new"), 2_000_000_000.5, 2_000_000_000.5);
  const times: bigint[] = [];
  for (const clampMtime of [1_000_000_000, 3_000_000_000]) {
    for await (const { mtime } of readTar(inChunks(await diff(upper, [lower], { clampMtime })))) times.push(mtime.sec);
  }
  assert.deepEqual(times, [1_000_000_000n, 2_000_000_000n]);
});

test("three layers: what is found below heeds whiteouts, opaque folders and files on folders in between", async () => {
  const one = await layerOf([
    dir("d"),
    { path: "d/a", body: "1" },
    { path: "d/b", body: "1" },
    dir("e"),
    { path: "e/a", body: "1" },
    { path: "f", body: "1" },
  ]);
  const two = await layerOf(
    [{ path: ".wh.f" }, dir("d"), { path: "d/.wh..wh..opq" }, { path: "d/b", body: "2" }, { path: "e", body: "a file" }],
    [one],
  );
  const upper = mounted([one, two], (root) => {
    for (const name of ["f", "d/a", "d/b"]) writeFileSync(join(root, name), "new");
    rmSync(join(root, "d"), { recursive: true });
    rmSync(join(root, "e"));
    mkdirSync(join(root, "e"));
  });
  const names: string[] = [];
  for await (const { name } of readTar(inChunks(await diff(upper, [one, two])))) names.push(name);
  assert.deepEqual(names, [".wh.d", "e/", "f"]);
});

test("a layer's marks become the overlay's: whiteouts, opaque folders, both at once, and on the root", async () => {
  const lower = await layerOf([
    dir("a"),
    { path: "a/old", body: "x" },
    dir("b"),
    { path: "b/old", body: "x" },
    dir("c"),
    { path: "c/old", body: "x" },
    { path: "d", body: "x" },
  ]);
  const upper = await layerOf([
    { path: ".wh.d" },
    dir("a"),
    { path: "a/new" },
    { path: "a/.wh..wh..opq" },
    { path: ".wh.b" },
    dir("b"),
    { path: "b/new" },
    dir("c"),
    { path: "c/new" },
    { path: ".wh.c" },
    { path: "kept" },
    { path: ".wh.kept" },
  ]);
  assert.deepEqual(Object.keys(listStack([lower, upper])), ["a", "a/new", "b", "b/new", "c", "c/new", "kept"]);
  const implicit = await layerOf([{ path: ".wh.b" }, { path: "b/new" }], [lower]);
  assert.deepEqual(
    Object.keys(listStack([lower, implicit])).filter((name) => name.startsWith("b")),
    ["b", "b/new"],
  );
  const cleared = await layerOf([{ path: ".wh..wh..opq" }, dir("a"), { path: "a/new" }, { path: "e" }], [lower]);
  assert.deepEqual(Object.keys(listStack([lower, cleared])), ["a", "a/new", "e"]);
});

test("folders that a layer takes for granted look as they do below, and a link to a file below copies it up", async () => {
  const lower = await layerOf([
    dir("opt", { mode: 0o1750, uid: 5, gid: 6 }),
    dir("opt/app", { mode: 0o700 }),
    { path: "opt/tool", body: "tool", mode: 0o4755, uid: 8, gid: 9, xattrs: [["security.capability", capability]] },
  ]);
  const upper = await layerOf(
    [
      { path: "opt/app/new" },
      { type: "link", path: "tool", linkPath: "opt/tool", mode: 0o4755, uid: 8, gid: 9 },
      { path: "fresh/x" },
    ],
    [lower],
  );
  const found = listTree(upper);
  assert.match(found["opt"] ?? "", /^41750 5:6/);
  assert.match(found["opt/app"] ?? "", /^40700 0:0/);
  assert.match(found["fresh"] ?? "", /^40755 0:0/);
  assert.equal(lstatSync(join(upper, "opt")).mtimeMs, 1_000_000_000_000);
  assert.equal(lstatSync(join(upper, "fresh")).mtimeMs, 0);
  assert.match(
    found["tool"] ?? "",
    new RegExp(`^104755 8:9 .*same as opt/tool security.capability=${capability.toString("hex")}`),
  );
});

test("set-user-ID bits, capabilities, nanoseconds and holes survive; folders keep their times", async () => {
  const mtime = { sec: -5n, nsec: 123_456_789 };
  const body = Buffer.alloc(300_000, 3);
  const target = await layerOf([
    dir("d", { mtime: { sec: 77n, nsec: 5 }, mode: 0o2755, uid: 10, gid: 20 }),
    {
      path: "d/f",
      body,
      mode: 0o6755,
      uid: 1000,
      gid: 1000,
      mtime,
      xattrs: [
        ["security.capability", capability],
        ["user.x", Buffer.alloc(0)],
      ],
    },
    { type: "link", path: "d/g", linkPath: "d/f", mode: 0o6755, uid: 1000, gid: 1000, mtime },
    { type: "symlink", path: "d/l", linkPath: "f", mode: 0o777, uid: 5, gid: 5, mtime },
  ]);
  const stat = (name: string) => lstatSync(join(target, name), { bigint: true });
  assert.equal(stat("d").mtimeNs, 77_000_000_005n);
  assert.equal(stat("d/f").mode & 0o7777n, 0o6755n);
  assert.equal(stat("d/f").mtimeNs, -4_876_543_211n);
  assert.equal(stat("d/l").mtimeNs, -4_876_543_211n);
  assert.deepEqual([stat("d/l").uid, stat("d/f").gid, stat("d").gid], [5n, 1000n, 20n]);
  assert.deepEqual(lgetxattr(join(target, "d/g"), "security.capability"), capability);
  assert.deepEqual(readFileSync(join(target, "d/f")), body);

  const holes = freshFolder("holes");
  execFileSync("sh", ["-c", "truncate -s 50M big && printf middle | dd of=big bs=1 seek=20000000 conv=notrunc 2>/dev/null"], {
    cwd: holes,
  });
  for (const format of ["gnu", "posix"]) {
    const archive = execFileSync("tar", ["-C", holes, "-S", `--format=${format}`, "-c", "big"]);
    const layer = freshFolder("layer");
    await apply(archive, layer);
    assert.ok(lstatSync(join(layer, "big")).blocks < 1000);
    assert.ok(readFileSync(join(layer, "big")).equals(readFileSync(join(holes, "big"))));
  }
});

test("both ways end when they are told to, with the reason", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  async function* endless(): AsyncGenerator<Uint8Array> {
    const archive = archiveOf([{ path: "f", body: "x" }]).subarray(0, 1024);
    for (let i = 0; ; i++) {
      if (i === 100) controller.abort(reason);
      yield archive;
    }
  }
  await assert.rejects(
    applyLayer({ source: endless(), target: freshFolder(), lowers: [], userXattr, signal: controller.signal }),
    reason,
  );
  const upper = freshFolder("upper");
  writeFileSync(join(upper, "big"), Buffer.alloc(4_000_000));
  await assert.rejects(diffLayer({ upper, lowers: [], userXattr, sink: () => undefined, signal: controller.signal }), reason);
});

test("an overlay that kept only a reference to a file or folder is refused, not packed wrongly", async () => {
  const upper = freshFolder("upper");
  mkdirSync(join(upper, "d"));
  lsetxattr(join(upper, "d"), userXattr ? "user.overlay.redirect" : "trusted.overlay.redirect", Buffer.from("/other"));
  await assert.rejects(diff(upper, []), failsWith("LAYER_OVERLAY"));
});
