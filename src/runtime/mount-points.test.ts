import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { isVarveError } from "../errors/index.ts";
import { makeMountPoints } from "./mount-points.ts";

let base = "";
let root = "";
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "varve-points-"));
  root = join(base, "root");
  mkdirSync(join(root, "etc"), { recursive: true });
  mkdirSync(join(base, "host"));
});
afterEach(() => rmSync(base, { recursive: true }));

const tree = (folder: string): string[] => readdirSync(folder, { recursive: true }).map(String).toSorted();

test("R11 what was missing is made and goes again, and folders look untouched", () => {
  utimesSync(join(root, "etc"), 1e9, 1e9);
  utimesSync(root, 1e9, 1e9);
  const points = makeMountPoints(root, [
    { destination: "/etc/hosts", kind: "file" },
    { destination: "/etc/resolv.conf", kind: "file" },
    { destination: "/var/cache/a", kind: "folder" },
  ]);
  assert.deepEqual(tree(root), ["etc", "etc/hosts", "etc/resolv.conf", "var", "var/cache", "var/cache/a"]);
  points.cleanup();
  assert.deepEqual(tree(root), ["etc"]);
  assert.deepEqual([lstatSync(root).mtimeMs, lstatSync(join(root, "etc")).mtimeMs], [1e12, 1e12]);
});

test("R11 what was there, was filled or was replaced stays", () => {
  writeFileSync(join(root, "etc/hosts"), "");
  const points = makeMountPoints(
    root,
    ["/etc/hosts", "/a", "/b"].map((destination) => ({ destination, kind: "file" })),
  );
  writeFileSync(join(root, "a"), "text");
  rmSync(join(root, "b"));
  mkdirSync(join(root, "b"));
  points.cleanup();
  assert.deepEqual(tree(root), ["a", "b", "etc", "etc/hosts"]);
});

test("R11 links, absolute, relative and dangling, lead nowhere but into the root", () => {
  symlinkSync(join(base, "host/inside"), join(root, "absolute"));
  symlinkSync("../../../../../../../../deep/er", join(root, "upwards"));
  symlinkSync("/absolute", join(root, "chain"));
  const points = makeMountPoints(
    root,
    ["/absolute", "/upwards/x", "/chain/y"].map((destination) => ({ destination, kind: "folder" })),
  );
  assert.deepEqual(readdirSync(join(base, "host")), []);
  assert.equal(points.resolved.get("/upwards/x"), "/deep/er/x");
  assert.equal(points.resolved.get("/chain/y"), join(base, "host/inside/y"));
  assert.ok(existsSync(join(root, "deep/er/x")));
  points.cleanup();
  assert.deepEqual(tree(root), ["absolute", "chain", "etc", "upwards"]);
});

test("CVE-2024-23652 clean-up follows no folder that became a link", () => {
  const points = makeMountPoints(root, [{ destination: "/var/a", kind: "folder" }]);
  renameSync(join(root, "var"), join(root, "moved"));
  mkdirSync(join(base, "host/a"));
  symlinkSync(join(base, "host"), join(root, "var"));
  points.cleanup();
  assert.deepEqual(tree(join(base, "host")), ["a"]);
  assert.deepEqual([readdirSync(root).toSorted(), readdirSync(join(root, "moved"))], [["etc", "moved", "var"], []]);
});

test("what is in the way is named, and what was made before it goes", () => {
  writeFileSync(join(root, "file"), "");
  symlinkSync("loop", join(root, "loop"));
  for (const destination of ["/file/x", "/loop", "/loop/x"]) {
    assert.throws(
      () =>
        makeMountPoints(root, [
          { destination: "/new", kind: "folder" },
          { destination, kind: "folder" },
        ]),
      (error) => isVarveError(error) && error.code === "RUNTIME_MOUNT_POINT" && error.message.includes(destination),
    );
  }
  assert.deepEqual(tree(root), ["etc", "file", "loop"]);
});

test("a system folder stays when it was made, and may not be a link", () => {
  makeMountPoints(root, [{ destination: "/proc", kind: "folder", system: true }]).cleanup();
  assert.deepEqual(tree(root), ["etc", "proc"]);
  symlinkSync("etc", join(root, "sys"));
  assert.throws(
    () => makeMountPoints(root, [{ destination: "/sys", kind: "folder", system: true }]),
    (error) => isVarveError(error) && error.code === "RUNTIME_MOUNT_POINT",
  );
});
