import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openState } from "./open-state.ts";
import { openReserve } from "./reserve.ts";

const folder = mkdtempSync(join(tmpdir(), "varve-reserve-"));
after(() => rmSync(folder, { recursive: true }));

test("F9 a new store keeps room back, gives it away once, and takes it again", () => {
  const state = openState(folder, []);
  assert.equal(state.usesReserve, false);
  const held = () => readdirSync(join(folder, "reserve")).map((name) => statSync(join(folder, "reserve", name)).size);
  assert.deepEqual(
    held(),
    Array.from({ length: 4 }, () => 256 * 1024),
  );
  const reserve = openReserve(folder);
  assert.equal(reserve.release(), true);
  assert.equal(reserve.release(), false);
  state.keepReserve();
  assert.equal(held().length, 4);
  state.close();
});
