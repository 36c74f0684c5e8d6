import assert from "node:assert/strict";
import { test } from "node:test";
import { detectSyntax } from "./directives.ts";

const detect = (source: string | Uint8Array): readonly [string, string, number] | undefined => {
  const found = detectSyntax(source, { file: "Dockerfile" });
  return found && [found.reference, found.commandLine, found.where.startLine];
};

test("D01 the syntax directive gives a reference and a command line", () => {
  assert.deepEqual(detect("# syntax=docker/dockerfile:1\nFROM x"), ["docker/dockerfile:1", "docker/dockerfile:1", 1]);
  assert.deepEqual(detect("\ufeff# check=skip=all\n# Syntax = a/b  c\n"), ["a/b", "a/b  c", 2]);
  assert.deepEqual(detect(Buffer.from("#syntax=a\r\n")), ["a", "a", 1]);
});

test("D01 other languages name their frontend behind slashes or in JSON", () => {
  assert.deepEqual(detect("// syntax=a/b\nlet x"), ["a/b", "a/b", 1]);
  assert.deepEqual(detect('{"syntax": "a/b c", "x": [1]}')?.slice(0, 2), ["a/b", "a/b c"]);
  assert.deepEqual(detect('#!/bin/x\n{"syntax": "a/b"}')?.slice(0, 1), ["a/b"]);
});

test("D01 a first line for the kernel is skipped", () => {
  assert.deepEqual(detect("#!/usr/bin/env x\n# syntax=a\n"), ["a", "a", 2]);
});

test("D01 files that ask for nothing get no answer and no error", () => {
  for (const source of [
    "",
    "#!",
    "FROM x\n# syntax=a",
    "# c\n# syntax=a",
    '{"syntax": 1}',
    "{broken",
    "[1]",
    "# escape=x",
    " # syntax=a",
  ]) {
    assert.equal(detect(source), undefined, source);
  }
});
