import assert from "node:assert/strict";
import { test } from "node:test";
import { VarveError } from "../errors/index.ts";
import { formatError, formatExcerpt, useColors } from "./print-error.ts";

const source = "FROM alpine\n\nRUN false\n";
const where = { file: "Dockerfile", startLine: 3, startColumn: 1, endLine: 3, endColumn: 10, source };
const plain = { debug: false, colors: false };

test("U08 an error shows its lines, its message with the code, its causes and its hint", () => {
  const cause = new Error("exit code: 1", { cause: new Error("the\nroot\u001b[31m") });
  const error = new VarveError("USAGE", 'process "false" failed', { where, hint: "run it by hand", cause });
  assert.equal(
    formatError(error, { ...plain, doing: "failed to build" }),
    [
      "Dockerfile:3",
      "--------------------",
      "   1 |     FROM alpine",
      "   2 |     ",
      "   3 | >>> RUN false",
      "   4 |     ",
      "--------------------",
      'ERROR: process "false" failed [USAGE]',
      "cause: exit code: 1: the root [31m",
      "hint: run it by hand",
      "",
    ].join("\n"),
  );
});

test("U08 what was being done stands before the message", () => {
  const error = new VarveError("DISK_FULL", "no space is left");
  assert.equal(
    formatError(error, { ...plain, doing: "failed to build" }),
    "ERROR: failed to build: no space is left [DISK_FULL]\n",
  );
  assert.equal(formatError(error, { ...plain, colors: true }), "\u001b[31mERROR:\u001b[0m no space is left [DISK_FULL]\n");
});

test("U08 an excerpt marks every line of the place and shows lines around it", () => {
  const lines = Array.from({ length: 9 }, (_, index) => `line ${index + 1}`).join("\n");
  const excerpt = formatExcerpt({ ...where, source: lines, startLine: 5, endLine: 6 });
  assert.deepEqual(excerpt.slice(2, -1), ["   4 |     line 4", "   5 | >>> line 5", "   6 | >>> line 6", "   7 |     line 7"]);
  assert.deepEqual(formatExcerpt({ ...where, startLine: 99 }), ["Dockerfile:99"]);
});

test("U08 a place that is a part of one line is underlined, tabs or not", () => {
  const text = "RUN a\n\tCOPY src/mian.go /x\n";
  const excerpt = formatExcerpt({ ...where, source: text, startLine: 2, endLine: 2, startColumn: 7, endColumn: 18 });
  assert.deepEqual(excerpt.slice(3, 5), ["   2 | >>> \tCOPY src/mian.go /x", "     |     \t     ^^^^^^^^^^^"]);
  assert.equal(formatExcerpt({ ...where, source: text, startLine: 2, endLine: 2, startColumn: 1, endColumn: 22 }).length, 6);
});

test("wrong usage shows how it is right", () => {
  const text = formatError(new VarveError("USAGE", "unknown flag: --x"), {
    ...plain,
    usage: "Usage:  varve build PATH",
    command: "build",
    doing: "failed to build",
  });
  assert.equal(
    text,
    "ERROR: unknown flag: --x [USAGE]\n\nUsage:  varve build PATH\n\nRun 'varve build --help' for more information\n",
  );
});

test("what is no error of ours is a defect, with its stack", () => {
  assert.match(formatError(new TypeError("oops"), plain), /^ERROR: oops \[INTERNAL\]\nhint: .*report.*\nTypeError: oops\n +at /);
});

test("colours need a terminal and no NO_COLOR", () => {
  const io = (env: Record<string, string>, isTerminal: boolean) => ({
    env,
    stderr: { isTerminal, print() {}, write: async () => {} },
  });
  assert.equal(useColors(io({}, true)), true);
  assert.equal(useColors(io({}, false)), false);
  assert.equal(useColors(io({ NO_COLOR: "1", FORCE_COLOR: "1" }, true)), false);
  assert.equal(useColors(io({ FORCE_COLOR: "1" }, false)), true);
});
