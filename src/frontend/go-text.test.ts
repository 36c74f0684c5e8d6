import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration, quote, quoteList, quoteRune } from "./go-text.ts";
import { cleanPath } from "../tree/index.ts";
import { hasWildcard, joinPath, resolveDestination, resolvePath } from "./paths.ts";

test("I19 texts are quoted as Go quotes them", () => {
  assert.equal(
    quote('a"\\\n\t\u0001\u007fé\u200b\u{1f600}\u{e0001}\u00a0'),
    '"a\\"\\\\\\n\\t\\x01\\x7fé\\u200b😀\\U000e0001\\u00a0"',
  );
  assert.equal(quoteList(["a b", "'"]), `["a b" "'"]`);
  assert.deepEqual([0, 10, 39, 65, 0x110000].map(quoteRune), ["'\\x00'", "'\\n'", "'\\''", "'A'", "'\ufffd'"]);
});

test("I19 durations are printed as Go prints them", () => {
  const durations: Record<string, number> = {
    "0s": 0,
    "1ns": 1,
    "1.5µs": 1500,
    "500ms": 5e8,
    "1.5s": 15e8,
    "1m0s": 6e10,
    "1h1m1.001s": 3661001e6,
    "25h0m0s": 9e13,
  };
  for (const [text, nanoseconds] of Object.entries(durations)) assert.equal(formatDuration(nanoseconds), text);
});

test("C01 C03 paths stay inside the root, and a destination keeps its slash", () => {
  assert.deepEqual(["", "/..", "a/../../b", "//a//b/.", "./"].map(cleanPath), [".", "/", "../b", "/a/b", "."]);
  assert.equal(joinPath("/", "../../a"), "/a");
  assert.equal(resolvePath("/w", "../x/"), "/x");
  const wanted = {
    "": "/w/",
    ".": "/w/",
    "./": "/w/",
    a: "/w/a",
    "a/": "/w/a/",
    "/": "/",
    "/b/": "/b/",
    "/q/.": "/q/.",
    "/.": "/.",
    "../..": "/",
  };
  for (const [path, expected] of Object.entries(wanted)) assert.equal(resolveDestination("/w", path), expected, path);
  assert.deepEqual(["a*", "a\\*", "a?", "[x]", "a"].map(hasWildcard), [true, false, true, true, false]);
});
