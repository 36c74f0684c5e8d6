import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "./nearest.ts";

test("P02 a name within two edits is suggested, the nearest first", () => {
  assert.equal(nearest("moumt", ["network", "mount"]), "mount");
  assert.equal(nearest("tarket", ["type", "market", "target"]), "market");
  assert.equal(nearest("chwn", ["chmod", "chown"]), "chown");
});

test("P02 three edits are too far, and so is nothing at all", () => {
  assert.equal(nearest("abcdef", ["abcxyz"]), undefined);
  assert.equal(nearest("x", []), undefined);
});

test("P02 a name that is itself a candidate gets no suggestion", () => {
  assert.equal(nearest("mount", ["mounts", "mount"]), undefined);
});

test("P02 a suggestion for an instruction takes over the case as written", () => {
  const names = ["FROM", "RUN"];
  assert.equal(nearest("form", names, { caseSensitive: false }), "from");
  assert.equal(nearest("FORM", names, { caseSensitive: false }), "FROM");
  assert.equal(nearest("Form", names, { caseSensitive: false }), "FROM");
  assert.equal(nearest("form", names), undefined);
});

test("P02 swapped letters are one edit", () => {
  assert.equal(nearest("RNU", ["ENV", "RUN"]), "RUN");
});
