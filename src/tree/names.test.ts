import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeName, encodePath, sortNames } from "./names.ts";
import { absolutePath, baseName, cleanPath, isWithin, parentPath } from "./path-text.ts";
import { resolveInRoot } from "./resolve-in-root.ts";

test("C07 any bytes are a name that goes back to the same bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const buffer = Buffer.from(bytes);
      assert.deepEqual(Buffer.from(encodePath(decodeName(buffer))), buffer);
    }),
    { numRuns: 2000 },
  );
});

test("C07 names that are UTF-8 are themselves", () => {
  for (const name of ["a", "größe", "𝄞", "\uFFFD", "a\ufeffb"]) {
    assert.equal(decodeName(Buffer.from(name)), name);
    assert.equal(encodePath(name), name);
  }
});

test("C07 names are sorted by their bytes", () => {
  assert.deepEqual(sortNames(["b", "a.b", "a", "a-b", "B"]), ["B", "a", "a-b", "a.b", "b"]);
  assert.deepEqual(sortNames(["𝄞", "\uFFFD", decodeName(Buffer.from([0xff])), "ü"]), [
    "ü",
    "\uFFFD",
    "𝄞",
    decodeName(Buffer.from([0xff])),
  ]);
});

test("C01 paths are cleaned as text, and stay inside the root", () => {
  assert.equal(cleanPath("a//b/./c/.."), "a/b");
  assert.equal(cleanPath("../a"), "../a");
  assert.equal(cleanPath(""), ".");
  assert.equal(absolutePath("../../etc/passwd"), "/etc/passwd");
  assert.equal(absolutePath("a/"), "/a");
  assert.equal(absolutePath(""), "/");
  assert.equal(parentPath("/a"), "/");
  assert.equal(parentPath("/a/b"), "/a");
  assert.equal(baseName("/a/b/"), "b");
  assert.equal(baseName("/"), "");
  assert.ok(isWithin("/a/b", "/a") && !isWithin("/ab", "/a") && isWithin("/x", "/"));
});

const links: Readonly<Record<string, string>> = {
  "/abs": "/real/dir",
  "/up": "../../../../etc",
  "/real/back": "../abs/..",
  "/loop": "loop",
  "/ping": "/pong",
  "/pong": "./ping",
  "/grow": "grow/x",
  "/dangling": "nowhere/at/all",
};
const linkAt = (path: string): string | undefined => links[path];

test("C04 links are followed inside the root, whatever they say", () => {
  const resolve = (path: string, followLast = true): string => resolveInRoot(path, { followLast, linkAt });
  assert.equal(resolve("/abs/f"), "/real/dir/f");
  assert.equal(resolve("up/passwd"), "/etc/passwd");
  assert.equal(resolve("/real/back/x"), "/real/x");
  assert.equal(resolve("/dangling"), "/nowhere/at/all");
  assert.equal(resolve("/abs", false), "/abs");
  assert.equal(resolve("/abs/", false), "/abs");
  assert.equal(resolve("/abs/../x"), "/x");
  assert.equal(resolve("../../x"), "/x");
});

test("C04 links in a circle are an error", () => {
  for (const path of ["/loop", "/ping/x", "/grow"]) {
    assert.throws(() => resolveInRoot(path, { followLast: true, linkAt }), { code: "TREE_LOOP" }, path);
  }
});
