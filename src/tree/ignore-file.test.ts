import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseIgnoreFile, parseIgnoreRules } from "./ignore-file.ts";

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

test("G04 any text is an ignore file; its rules stand on the lines that they name, and reading them again changes nothing", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "*", "!", "#", "/", ".", " ", "\t", "\n", "\r", "\ufeff", "\\\\", "\0") });
  fc.assert(
    fc.property(fc.oneof(text, fc.string({ unit: "binary" })), (source) => {
      const rules = parseIgnoreRules(source);
      const lines = source.replace(/^\ufeff/, "").split("\n");
      for (const { pattern, line } of rules) assert.ok((lines[line - 1] ?? "").includes(pattern.startsWith("!") ? "!" : ""));
      assert.deepEqual(
        rules.map(({ pattern }) => pattern),
        parseIgnoreFile(source),
      );
    }),
  );
});
