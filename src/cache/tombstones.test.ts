import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openSnapshots, snapshotsSchema } from "../snapshots/index.ts";
import { leasesSchema, openLeases, openState } from "../state/index.ts";
import { cacheSchema, createCache, maxTombstones } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "varve-tombstones-"));
after(() => rmSync(folder, { recursive: true }));

function open(name: string) {
  const root = join(folder, name);
  const state = openState(root, [leasesSchema, snapshotsSchema, cacheSchema]);
  const leases = openLeases({ state });
  const snapshots = openSnapshots({ state, root, leases });
  return { root, state, leases, snapshots, cache: createCache({ state, snapshots }) };
}

test("Q12 of an evicted record it is known when and why it went, until there is one again", () => {
  const { cache, snapshots, state } = open("gone");
  const { id } = snapshots.create([]).commit();
  cache.saveStack("key", { kind: "stack", layers: [id] }, "RUN x");
  assert.equal(cache.goneSince("key"), undefined);
  state.transaction(() => cache.evict(["key", "unknown"], "builder prune"));
  assert.equal(cache.peek("key"), undefined);
  assert.equal(cache.goneSince("key")?.why, "builder prune");
  assert.ok(Math.abs((cache.goneSince("key")?.time ?? 0) - Date.now()) < 60_000);
  assert.equal(cache.goneSince("unknown"), undefined);
  cache.saveStack("key", { kind: "stack", layers: [id] }, "RUN x");
  assert.equal(cache.goneSince("key"), undefined);
});

test("Q12 the newest tombstones are kept, and no more than the limit", () => {
  const { cache, state } = open("many");
  const keys = Array.from({ length: maxTombstones + 10 }, (_, index) => String(index));
  state.transaction(() => {
    for (const key of keys) state.run("INSERT INTO cache_tombstones (key, time, why) VALUES (?, ?, 'old')", key, Number(key));
  });
  state.transaction(() => cache.evict([], "nothing"));
  assert.equal(state.all("SELECT key FROM cache_tombstones").length, maxTombstones);
  assert.equal(cache.goneSince("3"), undefined);
  assert.equal(cache.goneSince(String(maxTombstones))?.why, "old");
});

test("Q12 what was made from an evicted result is forgotten when that result is made anew", () => {
  const { cache, snapshots, state } = open("anew");
  const [below, above] = [snapshots.create([]).commit().id, snapshots.create([]).commit().id];
  cache.saveStack("below", { kind: "stack", layers: [below] }, "RUN date");
  cache.saveLink("fast", "above", ["below"]);
  cache.saveStack("above", { kind: "stack", layers: [above] }, "COPY");
  state.transaction(() => cache.evict(["below"], "builder prune"));
  assert.equal(cache.link("fast"), "above", "the copy is still good");
  cache.saveStack("below", { kind: "stack", layers: [below] }, "RUN date");
  assert.equal(cache.link("fast"), undefined, "it may have copied other files");
});

test("Q12 a record that is loaded is claimed, and a folder without a row is an orphan", () => {
  const { cache, snapshots, leases, root } = open("claimed");
  const { id } = snapshots.create([]).commit();
  cache.saveStack("key", { kind: "stack", layers: [id] }, "RUN x");
  using _hold = leases.hold();
  assert.ok(cache.peek("key"));
  assert.deepEqual([...leases.claimed()], [`snapshot/${id}`]);
  mkdirSync(snapshots.pathOf(id), { recursive: true });
  mkdirSync(snapshots.pathOf(id + 1), { recursive: true });
  assert.deepEqual(snapshots.listOrphans(), [join(root, "snapshots", String(id + 1))]);
});
