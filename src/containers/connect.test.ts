import assert from "node:assert/strict";
import { test } from "node:test";
import { changeLines } from "./connect.ts";

test("lines that came are added, lines that went are removed, and what the container wrote itself stays", () => {
  const before = "127.0.0.1\tlocalhost\n172.17.0.2\tweb\n";
  const after = "127.0.0.1\tlocalhost\n172.17.0.2\tweb\n172.18.0.2\tweb\n";
  assert.equal(changeLines(before, before, after), after);
  assert.equal(changeLines(after, after, before), before);
  assert.equal(changeLines(`${before}10.0.0.1\town\n`, before, after), `${before}10.0.0.1\town\n172.18.0.2\tweb\n`);
  assert.equal(changeLines("10.0.0.1\town", before, after), "10.0.0.1\town\n172.18.0.2\tweb\n");
  assert.equal(changeLines("", before, after), "172.18.0.2\tweb\n");
});
