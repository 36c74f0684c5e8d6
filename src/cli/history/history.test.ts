import assert from "node:assert/strict";
import { test } from "node:test";
import type { BuildRecord } from "../../engine/index.ts";
import { formatBuildTime } from "./build-words.ts";
import { parseBuildFilter, parseGoDuration } from "./filter-builds.ts";
import { alignTabs } from "./format-inspected.ts";

const nowMs = Date.UTC(2026, 0, 31, 12);
const build = (fields: Partial<BuildRecord> = {}): BuildRecord => ({
  ref: "abcdefghijklmnopqrstuvwxy",
  name: "app",
  status: "completed",
  createdMs: nowMs - 600_000,
  completedMs: nowMs - 590_000,
  pinned: false,
  options: { context: "/app", dockerfile: "/app/Dockerfile" },
  steps: { total: 1, completed: 1, cached: 0 },
  warnings: 0,
  ...fields,
});
const matches = (filter: string, record = build()) => parseBuildFilter(filter, { nowMs })(record);

test("U20 filters compare refs, repositories and statuses", () => {
  assert.equal(matches("ref=abc"), true);
  assert.equal(matches("ref!=abc"), true, "another than the whole text");
  assert.equal(matches("status=completed"), true);
  assert.equal(matches("status!=completed"), false);
  const remote = build({ options: { context: "https://example.com/repo.git#main", dockerfile: "Dockerfile" } });
  assert.equal(matches("repository=https://example.com/repo.git", remote), true);
  assert.equal(matches("repository=repo", build({ vcs: { source: "https://example.com/repo.git" } })), true);
  assert.equal(matches("repository=app"), false, "a folder is no repository");
});

test("U20 filters compare times and durations, as texts of Go", () => {
  assert.equal(matches("startedAt>15m"), true);
  assert.equal(matches("startedAt>5m"), false);
  assert.equal(matches("startedAt<=2026-01-31T11:50:00Z"), true);
  assert.equal(matches("completedAt<9m50s"), false);
  assert.equal(matches("duration>=10s"), true);
  assert.equal(matches("duration<10s"), false);
  assert.equal(matches("duration>1m", build({ status: "running" })), false);
  assert.deepEqual(["1h30m", "1.5s", "300ms", "0", "-2m", "5", "m", "", "1d"].map(parseGoDuration), [
    5_400_000,
    1500,
    300,
    0,
    -120_000,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("U20 filters that say nothing are refused", () => {
  for (const filter of ["colour=red", "status", "status>error", "status=odd", "duration=5s", "duration>5", "startedAt>noon"]) {
    assert.throws(() => matches(filter), { code: "USAGE" }, filter);
  }
});

test("U21 durations and columns are buildx's", () => {
  assert.deepEqual([0, 1234, 59_940, 61_000, 3_725_000].map(formatBuildTime), ["0.0s", "1.2s", "59.9s", "1m  1s", "62m  5s"]);
  assert.equal(
    alignTabs([
      ["Started:", "1"],
      ["Build Steps:", "2"],
    ]),
    "Started:\t1\nBuild Steps:\t2\n",
  );
  assert.equal(
    alignTabs([
      ["Name:", "1"],
      ["Dockerfile:", "2"],
    ]),
    "Name:\t\t1\nDockerfile:\t2\n",
  );
});
