import assert from "node:assert/strict";
import { test } from "node:test";
import { splitAtBlanks, splitCommand, splitQuoted } from "./word-split.ts";

const texts = (words: readonly { readonly text: string }[]): string[] => words.map((word) => word.text);

test("P11 words end at white space outside quotes and keep their quotes and escapes", () => {
  assert.deepEqual(texts(splitQuoted(`a=1 b="x y" c='z "w' d=e\\ f`, "\\")), ["a=1", 'b="x y"', `c='z "w'`, "d=e\\ f"]);
  assert.deepEqual(texts(splitQuoted(`a="x\\" y" b='\\' c`, "\\")), ['a="x\\" y"', "b='\\'", "c"]);
});

test("P11 an open quote takes the rest of the line, an escape at the end vanishes", () => {
  assert.deepEqual(texts(splitQuoted(`a="x y`, "\\")), ['a="x y']);
  assert.deepEqual(texts(splitQuoted("a=b\\", "\\")), ["a=b"]);
  assert.deepEqual(texts(splitQuoted("\\", "\\")), []);
  assert.deepEqual(texts(splitQuoted("a=` b", "`")), ["a=` b"]);
});

test("P11 words know where they stand", () => {
  const line = `  a='x y'   b `;
  assert.deepEqual(
    splitQuoted(line, "\\").map(({ start, end }) => line.slice(start, end)),
    ["a='x y'", "b"],
  );
});

test("P09 list form splits at blanks whatever the quotes", () => {
  assert.deepEqual(texts(splitAtBlanks(`a "b c"\t d`)), ["a", '"b', 'c"', "d"]);
});

test("P04 other white space than blanks and tabs is taken off both ends of the rest", () => {
  const { keyword, rest } = splitCommand("\u2003RUN \u00a0a\u00a0b\u0085", "\\");
  assert.deepEqual([keyword.text, rest.text], ["RUN", "a\u00a0b"]);
});
