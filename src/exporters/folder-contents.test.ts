import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { checkCollisions, removeOthers } from "./folder-contents.ts";

function prepare(t: TestContext, files: readonly string[]): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "varve-contents-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), "");
  }
  return (name) => join(folder, name);
}

const listOf = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();

test("E05 what no root has is removed: files, folders, links, and names that are no UTF-8", async (t) => {
  const at = prepare(t, ["root/a/b", "root/c", "out/a/b", "out/a/x/y", "out/c", "out/d", "aside/kept"]);
  symlinkSync(at("aside"), at("out/link"));
  writeFileSync(Buffer.concat([Buffer.from(at("out/")), Buffer.from([0xff, 0x41])]), "");
  await removeOthers(at("out"), [{ path: at("root"), folder: undefined, name: "linux/amd64" }]);
  assert.deepEqual(listOf(at("out")), ["a", "a/b", "c"]);
  assert.ok(existsSync(at("aside/kept")));
});

test("E05 folders of platforms are kept, and what is beside them goes", async (t) => {
  const at = prepare(t, ["one/a", "two/b", "out/p_one/a", "out/p_one/b", "out/p_two/b", "out/b", "out/p_old/a"]);
  await removeOthers(at("out"), [
    { path: at("one"), folder: "p_one", name: "p/one" },
    { path: at("two"), folder: "p_two", name: "p/two" },
  ]);
  assert.deepEqual(listOf(at("out")), ["p_one", "p_one/a", "p_two", "p_two/b"]);
});

test("E05 the same file of two platforms in one folder is a collision, the same folder is none", (t) => {
  const at = prepare(t, ["one/bin/a", "two/bin/b", "three/bin/a"]);
  const root = (name: string, folder?: string) => ({ path: at(name), folder, name });
  checkCollisions([root("one"), root("two")]);
  checkCollisions([root("one", "one"), root("three", "three")]);
  assert.throws(() => checkCollisions([root("one"), root("three")]), {
    code: "OUTPUT_COLLISION",
    message: "cannot overwrite bin/a from one with three when split option is disabled",
  });
});
