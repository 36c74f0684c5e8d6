import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIgnoreFile } from "./ignore-file.ts";

test("G04 comments stand in column one only, blank lines vanish", () => {
  assert.deepEqual(parseIgnoreFile("# no\n #yes\n\n   \na # b\n"), ["#yes", "a # b"]);
});

test("G04 patterns are trimmed, cleaned and lose one leading slash", () => {
  const text = "\ufeff  /a/b/  \r\n./c/../d\n//e\n/\n.\nf//g/./h\n../i\n";
  assert.deepEqual(parseIgnoreFile(text), ["a/b", "d", "e", "/", ".", "f/g/h", "../i"]);
});

test("G04 a negation keeps its mark in front of the cleaned path", () => {
  assert.deepEqual(parseIgnoreFile("! /a/\n!b\n!\n!**/c/"), ["!a", "!b", "!", "!**/c"]);
});
