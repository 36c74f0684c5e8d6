/** Run by layers.test.ts in its namespaces. The corpus: archives that earlier builders fell for, by class of advisory. */
import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { base, failsWith, freshFolder, apply, layerOf, listTree, userXattr, type Item } from "./layer-fixture.check.ts";

const dir = (path: string, more: Partial<Item> = {}): Item => ({ ...more, type: "directory", path, mode: 0o755 });
const link = (path: string, linkPath: string): Item => ({ type: "symlink", path, linkPath, mode: 0o777 });
const hard = (path: string, linkPath: string): Item => ({ type: "link", path, linkPath });
const file = (path: string, body = "evil"): Item => ({ path, body, mode: 0o666 });

/** Applies in a jail beside things that must not change. Gives the names in the target, or the code it failed with. */
async function attack(items: readonly Item[], lowers: readonly string[] = []): Promise<string[]> {
  const jail = freshFolder("jail");
  const target = join(jail, "target");
  mkdirSync(target);
  mkdirSync(join(jail, "outside/deep"), { recursive: true });
  writeFileSync(join(jail, "outside/precious"), "precious", { mode: 0o600 });
  utimesSync(join(jail, "outside"), 5, 5);
  // Archives name the jail by its real path, as one that guesses well would.
  const here = (text: string | Uint8Array | undefined): string => String(text ?? "").replaceAll("JAIL", jail);
  const seen = (): string =>
    JSON.stringify([
      listTree(join(jail, "outside")),
      lstatSync(join(jail, "outside")).mtimeMs,
      lstatSync(join(jail, "outside")).mode,
      listNames(jail),
    ]);
  const before = seen();
  try {
    await apply(
      items.map((item) => ({
        ...item,
        path: here(item.path),
        ...(item.linkPath !== undefined && { linkPath: here(item.linkPath) }),
      })),
      target,
      lowers,
    );
  } finally {
    assert.equal(seen(), before, "something outside the target changed");
    for (const name of ["evil", "up", "abs", "x"])
      assert.ok(!existsSync(`/${name}`) && !existsSync(join(base, name)) && !existsSync(name));
  }
  return Object.keys(listTree(target))
    .map((name) => name.replaceAll(jail.slice(1), "JAIL"))
    .filter((name) => !/^tmp|^JAIL$/.test(name) || name.startsWith("JAIL/"));
}

function listNames(folder: string): string[] {
  return Object.keys(listTree(folder)).filter((name) => !name.startsWith("target/"));
}

test("CVE class: path traversal; absolute and climbing names land inside", async () => {
  assert.deepEqual(await attack([file("/abs"), file("../../up"), file("a/../../../x"), file("./b/.././c"), file("//d//e")]), [
    "abs",
    "c",
    "d",
    "d/e",
    "up",
    "x",
  ]);
  assert.deepEqual(await attack([dir("/"), dir("."), dir("../.."), file("ok")]), ["ok"]);
});

test("CVE class: write through a symlink; parents resolve as if the target were the root", async () => {
  assert.ok((await attack([link("l", "JAIL/outside"), file("l/evil")])).includes("JAIL/outside/evil"));
  assert.deepEqual(await attack([link("l", "../../outside"), file("l/precious")]), ["l", "outside", "outside/precious"]);
  assert.deepEqual(await attack([dir("a"), link("a/l", "../../../.."), file("a/l/x")]), ["a", "a/l", "x"]);
  assert.deepEqual(await attack([link("l", "/proc/self/cwd"), file("l/evil")]), [
    "l",
    "proc",
    "proc/self",
    "proc/self/cwd",
    "proc/self/cwd/evil",
  ]);
  assert.deepEqual(await attack([link("a", "b"), link("b", "c"), dir("c"), file("a/evil")]), ["a", "b", "c", "c/evil"]);
});

test("CVE class: write through a symlink at the end; the link itself is replaced, never its target", async () => {
  assert.deepEqual(await attack([link("l", "JAIL/outside/precious"), file("l")]), ["l"]);
  assert.deepEqual(await attack([link("l", "JAIL/outside"), dir("l", { uid: 7, gid: 7 }), file("l/evil")]), ["l", "l/evil"]);
  assert.deepEqual(await attack([link("l", "JAIL/outside"), { type: "fifo", path: "l" }]), ["l"]);
});

test("CVE class: chmod, chown and times through a symlink", async () => {
  assert.deepEqual(await attack([{ ...link("l", "JAIL/outside/precious"), mode: 0o777, uid: 1, gid: 1 }]), ["l"]);
  assert.deepEqual(await attack([dir("d"), link("d", "JAIL/outside")]), ["d"]);
  assert.deepEqual(await attack([dir("d"), file("d/f"), link("d", "../outside"), file("d/f2")]), ["d", "outside", "outside/f2"]);
  assert.deepEqual(await attack([dir("d/e"), link("d", "JAIL")]), ["d"]);
});

test("CVE class: hard link to a file outside", async () => {
  for (const items of [
    [hard("h", "JAIL/outside/precious")],
    [hard("h", "../outside/precious")],
    [link("l", "JAIL/outside"), hard("h", "l/precious")],
    [link("l", ".."), hard("h", "l/outside/precious")],
    [link("a", "b"), link("b", "../.."), hard("h", "a/outside/precious")],
    [hard("h", "h")],
    [hard("h", "")],
    [hard("h", "..")],
    [dir("d"), hard("h", "d")],
    [{ path: ".wh.gone" }, hard("h", "gone")],
    [dir("d"), file("d/f"), hard("d", "d/f")],
  ]) {
    await assert.rejects(attack(items), failsWith("LAYER_MALFORMED"));
  }
  assert.deepEqual(await attack([link("s", "JAIL/outside/precious"), hard("h", "s"), file("h")]), ["h", "s"]);
  assert.deepEqual(await attack([file("f"), hard("f", "f"), hard("g", "/../f")]), ["f", "g"]);
});

test("CVE class: whiteouts that delete outside their folder", async () => {
  for (const name of [".wh.", ".wh..", ".wh...", "a/.wh...", "a/b/.wh..", "JAIL/.wh..."]) {
    await assert.rejects(attack([dir("a"), file(name, "")]), failsWith("TAR_MALFORMED"), name);
  }
  assert.ok((await attack([link("l", "JAIL/outside"), file("l/.wh.precious", "")])).includes("JAIL/outside/precious"));
  assert.deepEqual(await attack([link("l", "../outside"), file("l/.wh..wh..opq", "")]), ["l", "outside"]);
  assert.deepEqual(await attack([file("../../.wh.outside", "")]), ["outside"]);
  await assert.rejects(attack([file(".wh.dir/evil")]), failsWith("LAYER_MALFORMED"));
  assert.deepEqual(await attack([file(".wh..wh.plnk/1.2"), file(".wh..wh.aufs")]), []);
});

test("CVE class: forged overlay marks; attributes of the overlay and of trusted.* are dropped", async () => {
  const names = [
    "trusted.overlay.opaque",
    "trusted.overlay.redirect",
    "trusted.overlay.metacopy",
    "user.overlay.opaque",
    "user.overlay.redirect",
    "user.overlay.metacopy",
  ];
  const xattrs = [...names, "trusted.evil", "security.selinux", "user.kept"].map((name) => [name, Buffer.from("y")] as const);
  const target = await layerOf([
    { ...dir("d"), xattrs },
    { ...file("f"), xattrs },
  ]);
  const listed = listTree(target, { raw: true });
  for (const name of ["d", "f"]) {
    assert.match(listed[name] ?? "", /user\.kept=79/);
    assert.doesNotMatch(listed[name] ?? "", /overlay|trusted|selinux/);
  }
});

test("CVE class: two layers that are harmless alone", async () => {
  const jail = freshFolder("jail");
  mkdirSync(join(jail, "outside"));
  writeFileSync(join(jail, "outside/precious"), "precious", { mode: 0o4755 });
  const lower = await layerOf([
    link("etc", `${jail}/outside`),
    link("one", `${jail}/outside/precious`),
    { ...dir("opt"), mode: 0o750, uid: 3, gid: 4 },
  ]);
  await assert.rejects(attack([hard("h", "etc/precious")], [lower]), failsWith("LAYER_MALFORMED"));
  await assert.rejects(attack([hard("h", "one")], [lower]), failsWith("LAYER_MALFORMED"));
  assert.deepEqual(await attack([file("etc/evil"), file("opt/../etc/x")], [lower]), ["etc", "etc/evil", "etc/x"]);
});

test("CVE class: parser confusion; what cannot be is refused, not guessed", async () => {
  for (const items of [
    [file("f"), file("f/g")],
    [link("a", "b"), link("b", "a"), file("a/f")],
    [{ ...file("f"), uid: 4_294_967_295 }],
    [{ ...file("f"), gid: 2 ** 40 }],
    [file("n".repeat(300))],
    [file(`${"d".repeat(300)}/f`)],
  ]) {
    await assert.rejects(attack(items), failsWith("LAYER_MALFORMED"));
  }
  assert.deepEqual(await attack([dir("d"), file("d/f"), file("d"), dir("d"), file("d/g"), file("d/g", "again")]), ["d", "d/g"]);
});

test("CVE class: device nodes; made by root, left out in a user namespace, a 0:0 is a whiteout", async () => {
  const target = freshFolder("layer");
  const devices: Item[] = [
    { type: "block", path: "disk", device: { major: 8, minor: 0 } },
    { type: "character", path: "null", device: { major: 1, minor: 3 } },
    { type: "character", path: "gone", device: { major: 0, minor: 0 } },
    { type: "fifo", path: "pipe" },
  ];
  const { skippedDevices } = await apply(devices, target);
  assert.equal(skippedDevices, userXattr ? 2 : 0);
  assert.deepEqual(Object.keys(listTree(target)), userXattr ? ["gone", "pipe"] : ["disk", "gone", "null", "pipe"]);
  assert.ok(lstatSync(join(target, "gone")).isCharacterDevice());
});
