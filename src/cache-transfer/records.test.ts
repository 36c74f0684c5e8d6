import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256, type Digest } from "../oci/index.ts";
import type { SolvedVertex } from "../solver/index.ts";
import { encodeCacheConfig, parseCacheConfig } from "./cache-config.ts";
import { encodeInlineCache, readInlineCache } from "./inline.ts";
import { findRecords, recordsOf } from "./records.ts";

const key = (name: string) => sha256(name).slice("sha256:".length);
const vertex = (name: string, more: Partial<SolvedVertex> = {}): SolvedVertex => ({
  id: name,
  name,
  key: key(name),
  inputKeys: [],
  wholeInputKeys: [],
  volatile: false,
  ...more,
});

/** base; a folder of the user's; a copy of it onto the base; a copy of that, which is linked. */
const solved = [
  vertex("base"),
  vertex("folder", { volatile: true }),
  vertex("copy", { inputKeys: [key("base"), key("folder")], wholeInputKeys: [key("base")] }),
  vertex("last", { inputKeys: [key("base"), key("copy")], wholeInputKeys: [key("base")], fastKey: key("fast") }),
];
const layers: readonly { blob: Digest; parent: number }[] = [
  { blob: sha256("l1"), parent: -1 },
  { blob: sha256("l2"), parent: 0 },
];

test("what was written of a solve is found again: results with their layers, links, and whose input is what", () => {
  const records = recordsOf(solved, (of) => (of === key("copy") ? { layer: 1 } : undefined));
  const found = findRecords(parseCacheConfig(encodeCacheConfig({ layers, records })));
  assert.deepEqual(found.record(key("copy")), { inputKeys: [key("base")], results: [[sha256("l1"), sha256("l2")]] });
  assert.deepEqual(found.record(key("last")), { inputKeys: [key("base")], results: [] });
  assert.deepEqual(found.link(key("fast")), { key: key("last"), inputKeys: [key("base"), key("copy")] });
  assert.ok(found.has(key("base")));
  assert.ok(!found.has(key("folder")), "a folder of this machine means nothing elsewhere");
  assert.ok(!found.has(key("fast")), "a link is no record");
  assert.equal(found.link(key("last")), undefined);
  assert.equal(found.record(key("nothing")), undefined);
});

test("L66 an inline cache names layers by their place, as a list where they are not the lowest ones", () => {
  const text = encodeInlineCache(solved, (of) => (of === key("copy") ? [0, 1] : of === key("last") ? [2] : undefined));
  const manifestLayers = ["l1", "l2", "l3"].map((name) => ({ mediaType: "x", digest: sha256(name), size: 1 }));
  const config = (diffIds: number, member: unknown = text) =>
    Buffer.from(
      JSON.stringify({
        architecture: "amd64",
        os: "linux",
        rootfs: { type: "layers", diff_ids: manifestLayers.slice(0, diffIds).map(({ digest }) => digest) },
        "moby.buildkit.cache.v0": member,
      }),
    );
  const manifest = { schemaVersion: 2, config: { mediaType: "x", digest: sha256(""), size: 0 }, layers: manifestLayers } as const;
  const found = findRecords(readInlineCache(config(3), manifest) ?? { layers: [], records: [] });
  assert.deepEqual(found.record(key("copy"))?.results, [[sha256("l1"), sha256("l2")]]);
  assert.deepEqual(found.record(key("last"))?.results, [[sha256("l3")]]);
  assert.equal(readInlineCache(config(2), manifest), undefined, "a config of another image");
  assert.equal(readInlineCache(config(3, null), manifest), undefined);
  assert.throws(() => readInlineCache(config(3, "bm9uZQ=="), manifest), { code: "CACHE_INVALID" });
});
