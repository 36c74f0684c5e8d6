/** Run by layers.test.ts in its namespaces. ADD of archives: what lands where, and hostile ones. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { isVarveError } from "../errors/index.ts";
import { llistxattr } from "../sys/index.ts";
import { unpackArchive } from "./index.ts";
import {
  archiveOf,
  capability,
  failsWith,
  freshFolder,
  inChunks,
  listTree,
  userXattr,
  type Item,
} from "./layer-fixture.check.ts";

const dir = (path: string, more: Partial<Item> = {}): Item => ({ ...more, type: "directory", path, mode: more.mode ?? 0o755 });
const link = (path: string, linkPath: string): Item => ({ type: "symlink", path, linkPath, mode: 0o777 });
const hard = (path: string, linkPath: string): Item => ({ type: "link", path, linkPath });
const file = (path: string, body = "new"): Item => ({ path, body });

interface Where {
  readonly target?: string;
  readonly owner?: { readonly uid: number; readonly gid: number };
}

async function unpack(archive: Uint8Array | readonly Item[], { target = freshFolder(), owner }: Where = {}): Promise<string> {
  const bytes = archive instanceof Uint8Array ? archive : archiveOf(archive);
  const outcome = await unpackArchive({ source: inChunks(bytes), target: () => target, owner, userNamespace: userXattr });
  assert.equal(outcome, "unpacked");
  return target;
}

const names = (target: string): string[] => Object.keys(listTree(target));
const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);
const ownerOf = (path: string): string => `${lstatSync(path).uid}:${lstatSync(path).gid}`;

test("C13 entries keep mode, owner, time, links and capabilities; folders without an entry are root's, from 1970", async () => {
  const target = await unpack([
    dir("d", { mode: 0o2750, uid: 5, gid: 6 }),
    { ...file("d/f"), mode: 0o4711, uid: 7, gid: 8, xattrs: [["security.capability", capability]] },
    link("d/l", "f"),
    hard("h", "d/f"),
    file("made/on/the/way"),
    { path: "fifo", type: "fifo", mode: 0o600 },
  ]);
  assert.equal(modeOf(join(target, "d")), "2750");
  assert.equal(ownerOf(join(target, "d")), "5:6");
  assert.equal(lstatSync(join(target, "d")).mtimeMs, 1e12);
  assert.equal(modeOf(join(target, "d/f")), "644", "the link's own entry came later");
  assert.equal(lstatSync(join(target, "d/f")).ino, lstatSync(join(target, "h")).ino);
  assert.equal(readlinkSync(join(target, "d/l")), "f");
  assert.equal(lstatSync(join(target, "made/on")).mtimeMs, 0);
  assert.ok(lstatSync(join(target, "fifo")).isFIFO());
  const plain = await unpack([{ ...file("c"), xattrs: [["security.capability", capability]] }]);
  assert.deepEqual(llistxattr(join(plain, "c")), ["security.capability"]);
});

test("C13 an owner given by --chown is every entry's, but not that of folders without an entry", async () => {
  const target = await unpack([{ ...file("a/f"), uid: 7, gid: 7 }, dir("d", { uid: 9 })], { owner: { uid: 12, gid: 13 } });
  assert.deepEqual(
    ["a/f", "d", "a"].map((name) => ownerOf(join(target, name))),
    ["12:13", "12:13", "0:0"],
  );
});

test("C13 archives are known by their content, whatever compressed them; everything else is left alone", async () => {
  const bytes = archiveOf([file("f")]);
  for (const packed of [bytes, gzipSync(bytes), zstdCompressSync(bytes)]) assert.deepEqual(names(await unpack(packed)), ["f"]);
  const outcomeOf = (content: Uint8Array) =>
    unpackArchive({ source: inChunks(content), target: () => assert.fail("nothing is unpacked"), userNamespace: userXattr });
  for (const text of ["just text", gzipSync("just text"), Buffer.from("1f8b08ff", "hex"), bytes.subarray(0, 300)])
    assert.equal(await outcomeOf(Buffer.from(text)), "no archive");
  for (const content of ["", Buffer.alloc(10_240)]) assert.equal(await outcomeOf(Buffer.from(content)), "empty");
});

test("C13 what is there: folders merge and keep their times, everything else is replaced, links are followed inside", async () => {
  const target = freshFolder();
  mkdirSync(join(target, "keep"));
  writeFileSync(join(target, "keep/old"), "old");
  utimesSync(join(target, "keep"), 77, 77);
  writeFileSync(join(target, "file"), "old");
  mkdirSync(join(target, "dir/sub"), { recursive: true });
  mkdirSync(join(target, "real"));
  symlinkSync("/real", join(target, "alias"));
  symlinkSync("/etc/passwd", join(target, "link"));
  utimesSync(target, 99, 99);
  await unpack([file("keep/new"), dir("file"), file("dir"), file("alias/through"), file("link", "replaced")], { target });
  assert.deepEqual(names(target), ["alias", "dir", "file", "keep", "keep/new", "keep/old", "link", "real", "real/through"]);
  assert.equal(lstatSync(join(target, "keep")).mtimeMs, 77_000);
  assert.equal(lstatSync(target).mtimeMs, 99_000);
  assert.ok(lstatSync(join(target, "file")).isDirectory() && lstatSync(join(target, "dir")).isFile());
  assert.equal(readFileSync(join(target, "link"), "utf8"), "replaced");
});

test("C13 names that mark deletions in layers are names like any other; an archive says nothing of the folder itself", async () => {
  const target = freshFolder();
  mkdirSync(join(target, "d"));
  writeFileSync(join(target, "gone"), "");
  chmodSync(target, 0o700);
  await unpack([dir(".", { mode: 0o777, uid: 3 }), dir("/", { mode: 0o777 }), file(".wh.gone"), file("d/.wh..wh..opq")], {
    target,
  });
  assert.deepEqual(names(target), [".wh.gone", "d", "d/.wh..wh..opq", "gone"]);
  assert.equal(modeOf(target), "700");
  assert.equal(ownerOf(target), "0:0");
});

/** Unpacks in a jail beside things that must not change. */
async function attack(...archives: readonly (readonly Item[])[]): Promise<string[]> {
  const jail = freshFolder("jail");
  const target = join(jail, "target");
  mkdirSync(target);
  mkdirSync(join(jail, "outside"));
  writeFileSync(join(jail, "outside/precious"), "precious", { mode: 0o600 });
  const here = (text: string | Uint8Array | undefined): string => String(text ?? "").replaceAll("JAIL", jail);
  const seen = (): string => JSON.stringify([listTree(join(jail, "outside")), lstatSync(join(jail, "outside")).mtimeMs]);
  const before = seen();
  try {
    for (const items of archives)
      await unpack(
        items.map((item) => ({
          ...item,
          path: here(item.path),
          ...(item.linkPath !== undefined && { linkPath: here(item.linkPath) }),
        })),
        { target },
      );
  } finally {
    assert.equal(seen(), before, "something outside the folder changed");
    for (const name of ["evil", "up"]) assert.ok(!existsSync(`/${name}`) && !existsSync(join(jail, name)) && !existsSync(name));
  }
  return names(target).map((name) => name.replaceAll(jail.slice(1), "JAIL"));
}

test("CVE-2025-45582 two archives, the first with a link and the second that writes through it, stay in the folder", async () => {
  await assert.rejects(attack([link("l", "../outside")], [file("l/evil")]), failsWith("LAYER_MALFORMED"));
  await assert.rejects(attack([link("a", "."), link("a/b", "..")], [file("b/evil")]), failsWith("LAYER_MALFORMED"));
  assert.ok((await attack([link("l", "JAIL/outside")], [file("l/precious"), file("l/evil")])).includes("JAIL/outside/evil"));
  assert.deepEqual(await attack([link("l", "/proc/self/cwd")], [dir("l"), file("l/evil")]), ["l", "l/evil"]);
});

test("CVE classes: names, links and hard links of one archive do not lead out of the folder", async () => {
  for (const items of [[file("../up")], [file("a/../../up")], [dir("..")], [file("f"), hard("evil", "../outside/precious")]])
    await assert.rejects(attack(items), failsWith("LAYER_MALFORMED"));
  await assert.rejects(attack([hard("evil", "JAIL/outside/precious")]), failsWith("LAYER_MALFORMED"));
  await assert.rejects(attack([link("l", "JAIL/outside"), hard("evil", "l/precious")]), failsWith("LAYER_MALFORMED"));
  assert.ok(
    (await attack([link("l", "JAIL/outside/precious"), hard("h", "l"), file("h/evil")])).includes("JAIL/outside/precious/evil"),
  );
  assert.deepEqual(await attack([link("l", "../../outside"), file("l")]), ["l"]);
  assert.deepEqual(await attack([file("/evil"), file("//a//./b")]), ["a", "a/b", "evil"]);
  await assert.rejects(attack([link("x", "y"), link("y", "x"), file("x/evil")]), failsWith("LAYER_MALFORMED"));
  await assert.rejects(attack([file("f"), file("f/evil")]), failsWith("LAYER_MALFORMED"));
});

test("C13 archives beyond a limit, of unknown types or cut short fail with the name of what is wrong", async () => {
  const many = archiveOf(Array.from({ length: 20 }, (_, index) => file(`f${index}`)));
  const limited = unpackArchive({
    source: inChunks(many),
    target: () => freshFolder(),
    userNamespace: userXattr,
    limits: { maxEntries: 10 },
  });
  await assert.rejects(limited, failsWith("TAR_LIMIT"));
  await assert.rejects(unpack(many.subarray(0, 5_300)), failsWith("TAR_TRUNCATED"));
  await assert.rejects(unpack(gzipSync(many).subarray(0, -20)), failsWith("LAYER_COMPRESSION_INVALID"));
});

test(
  "C13 damaged archives, compressed or not, unpack or fail with a code, and leave everything outside alone",
  { timeout: 60_000 },
  async () => {
    const plain = archiveOf([
      dir("d"),
      file("d/f", "x".repeat(3_000)),
      link("d/l", "../d"),
      hard("h", "d/f"),
      file("d/l/g"),
      file("last"),
    ]);
    const samples = [plain, gzipSync(plain), zstdCompressSync(plain)];
    const jail = freshFolder("jail");
    writeFileSync(join(jail, "precious"), "precious");
    const before = JSON.stringify(listTree(jail));
    const damage = fc.record({
      which: fc.nat(2),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      mask: fc.integer({ min: 0, max: 255 }),
      cut: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ which, at, mask, cut }) => {
        const bytes = Buffer.from(samples[which] ?? plain);
        const place = Math.floor(at * (bytes.length - 1));
        bytes[place] = (bytes[place] ?? 0) ^ mask;
        const target = join(jail, "target");
        mkdirSync(target);
        try {
          const source = inChunks(cut ? bytes.subarray(0, place) : bytes, 4096);
          await unpackArchive({ source, target: () => target, userNamespace: userXattr, limits: { maxFileBytes: 1 << 24 } });
        } catch (error) {
          assert.ok(isVarveError(error) && /^(?:TAR|LAYER)_/.test(error.code), String(error));
        } finally {
          rmSync(target, { recursive: true });
        }
        assert.equal(JSON.stringify(listTree(jail)), before);
      }),
      { numRuns: 600, interruptAfterTimeLimit: 20_000 },
    );
  },
);
