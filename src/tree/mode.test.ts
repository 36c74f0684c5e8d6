import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMode } from "./mode.ts";

test("C09 octal modes set all bits, up to 7777", () => {
  assert.equal(parseMode("644")(0o4777, false), 0o644);
  assert.equal(parseMode("07777")(0, true), 0o7777);
  assert.equal(parseMode("0")(0o777, false), 0);
});

test("C09 symbolic modes change what they name", () => {
  const cases: [text: string, mode: number, isFolder: boolean, expected: number][] = [
    ["u=rwX,go=rX", 0o600, false, 0o644],
    ["u=rwX,go=rX", 0o700, false, 0o755],
    ["u=rwX,go=rX", 0o600, true, 0o755],
    ["+x", 0o644, false, 0o755],
    ["a-w", 0o666, false, 0o444],
    ["g=u", 0o640, false, 0o660],
    ["go=u-w", 0o700, false, 0o755],
    ["u+s,g+s,+t", 0o755, false, 0o7755],
    ["o+s", 0o755, false, 0o755],
    ["u=rwx", 0o4755, false, 0o755],
    ["go=", 0o777, false, 0o700],
    ["=r", 0o6777, false, 0o444],
    ["u+x,go+X", 0o644, false, 0o744],
    ["ug-x+w", 0o555, false, 0o665],
  ];
  for (const [text, mode, isFolder, expected] of cases) {
    assert.equal(parseMode(text)(mode, isFolder).toString(8), expected.toString(8), text);
  }
});

test("C09 anything else is an error", () => {
  for (const text of ["", "8", "99", "10000", "rwx", "u", "x+r", "u+r,", ",u+r", "u+q", "-1x", "0x1ff"]) {
    assert.throws(() => parseMode(text), { code: "TREE_MODE" }, text);
  }
});
