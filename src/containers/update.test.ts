import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeUpdate } from "./update.ts";
import type { ContainerConfig, Resources, UpdateRequest } from "./types.ts";

const mebibyte = 1024 * 1024;

function merge(resources: Resources, request: UpdateRequest, { autoRemove = false } = {}): ContainerConfig["host"] {
  const host = { resources, restart: { name: "no", maximumRetries: 0 }, autoRemove };
  return mergeUpdate({ id: "c0ffee", config: { host } as ContainerConfig }, request).host;
}

test("an update keeps what it does not name, and a derived limit of swap", () => {
  assert.deepEqual(merge({ cpuShares: 512, pidsLimit: 9 }, { resources: { pidsLimit: 20 } }).resources, {
    cpuShares: 512,
    pidsLimit: 20,
  });
  const asked = { memoryBytes: 64 * mebibyte };
  assert.deepEqual(merge({ memoryBytes: 100 * mebibyte }, { resources: asked }).resources, {
    memoryBytes: 64 * mebibyte,
    memorySwapBytes: 200 * mebibyte,
  });
  const always = { name: "always", maximumRetries: 0 } as const;
  assert.deepEqual(merge({ cpus: 1 }, { restart: always }).restart, always);
});

test("an update that contradicts what is set, or itself, is refused in Docker's words", () => {
  const cases: readonly (readonly [Resources, Resources, RegExp])[] = [
    [
      {},
      { memoryBytes: 64 * mebibyte },
      /^Cannot update container c0ffee: Memory limit should be smaller than already set memoryswap/,
    ],
    [{ memoryBytes: 8 * mebibyte }, { memoryBytes: 17 * mebibyte }, /update the memoryswap at the same time$/],
    [{ cpus: 1 }, { cpuQuotaUs: 1000 }, /CPU Quota cannot be updated as NanoCPUs has already been set$/],
    [{ cpuPeriodUs: 1000 }, { cpus: 1 }, /NanoCPUs cannot be updated as CPU Period has already been set$/],
    [{}, { cpus: 1, cpuQuotaUs: 1000 }, /^Conflicting options: Nano CPUs and CPU Quota cannot both be set$/],
  ];
  for (const [last, asked, message] of cases) assert.throws(() => merge(last, { resources: asked }), { message });
  const always = { name: "always", maximumRetries: 0 } as const;
  assert.throws(() => merge({}, { restart: always }, { autoRemove: true }), { message: /AutoRemove is enabled/ });
});
