import assert from "node:assert/strict";
import { test } from "node:test";
import { wantsRestoring } from "./restore.ts";

const row = (policy: string, run: { readonly generation?: number; readonly stoppedByHand?: boolean } = {}) =>
  ({
    config: { host: { restart: { name: policy, maximumRetries: 0 } } },
    run: { generation: 1, status: "exited", ...run },
  }) as unknown as Parameters<typeof wantsRestoring>[0];

test("after a start of the machine policies start what Docker's daemon starts", () => {
  const starts = ["no", "on-failure", "always", "unless-stopped"].map((policy) => wantsRestoring(row(policy)));
  assert.deepEqual(starts, [false, false, true, true]);
});

test("what was stopped by hand stays so after a start of the machine, but for always", () => {
  const starts = ["always", "unless-stopped"].map((policy) => wantsRestoring(row(policy, { stoppedByHand: true })));
  assert.deepEqual(starts, [true, false]);
});

test("what was never started is not started with the machine", () => {
  assert.equal(wantsRestoring(row("always", { generation: 0 })), false);
});
