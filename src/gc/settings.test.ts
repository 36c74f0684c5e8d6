import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCondition, parseConditions } from "./filter.ts";
import { gcRules, noGcSettings, quotaOf, readGcSettings } from "./settings.ts";
import type { StoreRecord } from "./types.ts";

const disk = { totalBytes: 250 * 2 ** 30, freeBytes: 0, totalInodes: 0, freeInodes: 0 };
const sample: StoreRecord = {
  id: "abc",
  thing: "snapshot/1",
  type: "regular",
  description: "[2/3] RUN make",
  parents: ["p1", "p2"],
  createdMs: 0,
  lastUsedMs: undefined,
  usageCount: 0,
  bytes: 0,
  inodes: 0,
  mutable: false,
  sharedWith: undefined,
  holder: undefined,
  cached: true,
};

test("Q12 without settings BuildKit's limits hold for garbage collection, and none for a build", () => {
  const [cheap, old, over, all] = gcRules(noGcSettings, disk);
  assert.equal(cheap?.maxUsedBytes, 512e6);
  assert.equal(old?.keepMs, 60 * 24 * 3_600_000);
  assert.deepEqual([over?.reservedBytes, over?.maxUsedBytes, over?.minFreeBytes], [10e9, 100e9, 51e9]);
  assert.equal(all?.all, true);
  assert.equal(quotaOf(noGcSettings, disk), undefined);
});

test("Q12 settings have buildkitd.toml's names and forms", () => {
  const settings = readGcSettings(
    { reservedSpace: "1GB", maxUsedSpace: "10%", minFreeSpace: 512_000_000, maxUsedInodes: 9 },
    "f",
  );
  assert.deepEqual(quotaOf(settings, disk), {
    reservedBytes: 2 ** 30,
    maxUsedBytes: 26e9,
    minFreeBytes: 512e6,
    maxUsedInodes: 9,
  });
  const policy = { all: true, filters: ["type==regular"], keepDuration: "48h", maxUsedSpace: 5 };
  const [rule] = gcRules(readGcSettings({ gcpolicy: [policy] }, "f"), disk);
  assert.equal(rule?.keepMs, 48 * 3_600_000);
  assert.equal(rule?.maxUsedBytes, 5);
  assert.equal(rule?.matches(sample), true);
  assert.equal(rule?.matches({ ...sample, type: "internal" }), false);
});

test("Q12 a setting that is unknown or cannot be read is refused by name", () => {
  for (const [table, message] of [
    [{ maxUsedSpcae: 1 }, /unknown setting "maxUsedSpcae"/],
    [{ maxUsedSpace: "much" }, /maxUsedSpace is no amount of disk/],
    [{ gc: "yes" }, /gc is neither true nor false/],
    [{ gcpolicy: [{ keepDuration: "long" }] }, /keepDuration is no duration/],
    [{ maxUsedInodes: 1.5 }, /maxUsedInodes is no number of inodes/],
  ] as const)
    assert.throws(() => readGcSettings(table, "varve.toml"), { code: "CONFIG_INVALID", message });
  assert.throws(() => readGcSettings({ gcpolicy: [{ filters: ["colour==red"] }] }, "f"), { code: "FILTER_INVALID" });
});

test("B48 filters compare with =, ==, != and ~=, and flags stand alone or with true and false", () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ["type=regular", true],
    ["type==regular", true],
    ["type!=regular", false],
    ["type!=internal", true],
    ["description~=RUN", true],
    ["description~=^RUN", false],
    ["id~=b", true],
    ["parents=p1;p2", true],
    ["inuse", false],
    ["inuse=false", true],
    ["immutable", true],
    ["mutable!=true", true],
    ["shared", false],
    ["private=true", true],
  ];
  for (const [text, expected] of cases) assert.equal(parseCondition(text)(sample), expected, text);
  assert.equal(parseConditions('type=="regular", immutable')(sample), true);
  for (const bad of ["colour=red", "type=magic", "inuse=maybe", "description~=(", "type", "", "inuse~=true"])
    assert.throws(() => parseCondition(bad), { code: "FILTER_INVALID" }, bad);
});
