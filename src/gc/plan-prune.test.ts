import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planPrune } from "./plan-prune.ts";
import type { DiskFacts, PruneRule, StoreRecord } from "./types.ts";

const nowMs = 1_000_000_000;
const disk: DiskFacts = { totalBytes: 1000, freeBytes: 500, totalInodes: 100, freeInodes: 50 };

function record(id: string, given: Partial<StoreRecord> = {}): StoreRecord {
  return {
    id,
    thing: `snapshot/${id}`,
    type: "regular",
    description: id,
    parents: [],
    createdMs: 0,
    lastUsedMs: undefined,
    usageCount: 0,
    bytes: 10,
    inodes: 1,
    mutable: false,
    sharedWith: undefined,
    holder: undefined,
    cached: true,
    ...given,
  };
}

function rule(given: Partial<PruneRule> = {}): PruneRule {
  return { all: false, matches: () => true, keepMs: 0, wholeStore: false, why: "builder prune", ...given };
}

const gone = (records: readonly StoreRecord[], ...rules: readonly PruneRule[]) =>
  planPrune(records, rules, { nowMs, disk }).map((victim) => victim.record.id);

test("Q12 what stands on another goes before it", () => {
  const records = [record("base"), record("middle", { parents: ["base"] }), record("top", { parents: ["base", "middle"] })];
  assert.deepEqual(gone(records, rule()), ["top", "middle", "base"]);
});

test("Q12 what a running build or an image needs stays, and so does what that stands on", () => {
  const records = [
    record("base", { sharedWith: "the image a" }),
    record("used", { parents: ["base"], holder: "a running build" }),
    record("under", {}),
    record("over", { parents: ["under"], holder: "a running build" }),
    record("free"),
  ];
  assert.deepEqual(gone(records, rule()), ["free"]);
});

test("B48 --all forgets cached results that images share, which frees nothing, and internal records", () => {
  const records = [record("shared", { sharedWith: "the image a" }), record("internal", { type: "internal" }), record("cache")];
  assert.deepEqual(gone(records, rule()), ["cache"]);
  const plan = planPrune(records, [rule({ all: true })], { nowMs, disk });
  assert.deepEqual(
    plan.map(({ record: { id }, frees }) => [id, frees]),
    [
      ["shared", false],
      ["internal", true],
      ["cache", true],
    ],
  );
  assert.match(plan[0]?.reason ?? "", /its files stay for the image a/);
  const forgotten = record("shared", { sharedWith: "the image a", cached: false });
  assert.deepEqual(gone([forgotten], rule({ all: true })), []);
});

test("B48 what was used within the time to keep stays, and a use of a child is a use of its parents", () => {
  const records = [
    record("old", { lastUsedMs: nowMs - 5000 }),
    record("new", { lastUsedMs: nowMs - 100 }),
    record("parent", { lastUsedMs: nowMs - 9000 }),
    record("child", { parents: ["parent"], lastUsedMs: nowMs - 100 }),
  ];
  assert.deepEqual(gone(records, rule({ keepMs: 1000 })), ["old"]);
});

test("Q12 with a limit only as much goes as must, least recently used first", () => {
  const records = [1, 2, 3, 4].map((age) => record(`r${age}`, { lastUsedMs: nowMs - age }));
  assert.deepEqual(gone(records, rule({ maxUsedBytes: 25 })), ["r4", "r3"]);
  assert.deepEqual(gone(records, rule({ maxUsedBytes: 40 })), []);
  assert.deepEqual(gone(records, rule({ maxUsedInodes: 3 })), ["r4"]);
  assert.deepEqual(gone(records, rule({ minFreeBytes: 505 })), ["r4"]);
  assert.deepEqual(gone(records, rule({ minFreeInodes: 52 })), ["r4", "r3"]);
  assert.deepEqual(gone(records, rule({ reservedBytes: 30 })), ["r4"]);
  assert.deepEqual(gone(records, rule({ minFreeBytes: 900, reservedBytes: 30 })), ["r4"], "what is reserved stays");
  const [victim] = planPrune(records, [rule({ maxUsedBytes: 35 })], { nowMs, disk });
  assert.match(victim?.reason ?? "", /limit of 35B is passed by 5B, and it was used longest ago/);
});

test("Q12 the quota counts what images share, a prune of the cache does not", () => {
  const records = [record("shared", { sharedWith: "the image a" }), record("cache")];
  assert.deepEqual(gone(records, rule({ maxUsedBytes: 15 })), []);
  assert.deepEqual(gone(records, rule({ maxUsedBytes: 15, wholeStore: true })), ["cache"]);
});

test("Q12 later rules count what earlier ones freed", () => {
  const records = [1, 2, 3].map((age) => record(`r${age}`, { lastUsedMs: nowMs - age }));
  const first = rule({ matches: ({ id }) => id === "r1", why: "first" });
  const plan = planPrune(records, [first, rule({ maxUsedBytes: 20 }), rule({ maxUsedBytes: 10 })], { nowMs, disk });
  assert.deepEqual(
    plan.map(({ record: { id }, why }) => [id, why]),
    [
      ["r1", "first"],
      ["r3", "builder prune"],
    ],
  );
});

test("Q12 no plan takes what is held, or a parent before its children", () => {
  const node = fc.record({
    parents: fc.array(fc.nat(), { maxLength: 3 }),
    lastUsedMs: fc.option(fc.nat({ max: nowMs }), { nil: undefined }),
    held: fc.boolean(),
    shared: fc.boolean(),
    bytes: fc.nat({ max: 100 }),
  });
  fc.assert(
    fc.property(fc.array(node, { maxLength: 30 }), fc.boolean(), fc.option(fc.nat({ max: 500 })), (nodes, all, maxUsedBytes) => {
      const records = nodes.map(({ parents, held, shared, ...facts }, index) =>
        record(String(index), {
          ...facts,
          parents: index === 0 ? [] : [...new Set(parents.map((parent) => String(parent % index)))],
          holder: held ? "somebody" : undefined,
          sharedWith: shared ? "an image" : undefined,
        }),
      );
      const order = gone(records, rule({ all, ...(maxUsedBytes === null ? {} : { maxUsedBytes }) }));
      assert.equal(new Set(order).size, order.length);
      for (const { id, parents, holder } of records) {
        const at = order.indexOf(id);
        if (holder !== undefined) assert.equal(at, -1);
        for (const parent of parents)
          if (order.includes(parent)) assert.ok(at >= 0 && at < order.indexOf(parent), `${parent} goes before ${id}`);
      }
    }),
  );
});
