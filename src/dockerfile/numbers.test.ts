import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBoolean, parseUnsigned } from "./numbers.ts";

test("R04 modes are octal, ids decimal, both at most 32 bits", () => {
  assert.equal(parseUnsigned("0755", 8), 0o755);
  assert.equal(parseUnsigned("789", 8), undefined);
  assert.equal(parseUnsigned("1000", 10), 1000);
  assert.equal(parseUnsigned("4294967296", 10), undefined);
  assert.equal(parseUnsigned("-1", 10), undefined);
});

test("R01 booleans are those that Go reads", () => {
  assert.equal(parseBoolean("T"), true);
  assert.equal(parseBoolean("0"), false);
  assert.equal(parseBoolean("yes"), undefined);
});
