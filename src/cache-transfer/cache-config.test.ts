import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sha256 } from "../oci/index.ts";
import { encodeCacheConfig, parseCacheConfig, parseInlineRecords } from "./cache-config.ts";
import { cacheLimits } from "./limits.ts";

const parse = (value: unknown) => parseCacheConfig(Buffer.from(JSON.stringify(value)));
const refuses = (value: unknown, message: RegExp) =>
  assert.throws(() => parse(value), { code: "CACHE_INVALID", message }, JSON.stringify(value));
const blob = (name: string) => sha256(name);

test("L60 L61 L62 a config as BuildKit writes it is read: left-out members, a parent of 0, times", () => {
  const config = parse({
    layers: [{ blob: blob("a"), parent: -1 }, { blob: blob("b") }],
    records: [
      { digest: "sha256:1", layers: [{ layer: 1, createdAt: "2026-01-01T00:00:00Z" }] },
      { digest: "sha256:2", inputs: [[{ selector: "sel", link: 0 }, { link: 0 }]], chains: [{ layers: [1, 0], createdAt: "" }] },
    ],
  });
  assert.deepEqual(config.layers, [
    { blob: blob("a"), parent: -1 },
    { blob: blob("b"), parent: 0 },
  ]);
  assert.deepEqual(config.records[1], {
    digest: "sha256:2",
    inputs: [
      [
        { selector: "sel", link: 0 },
        { selector: "", link: 0 },
      ],
    ],
    layers: [],
    chains: [{ layers: [1, 0] }],
  });
  assert.deepEqual(parse({}), { layers: [], records: [] });
  assert.deepEqual(parse({ layers: null, records: null }), { layers: [], records: [] });
});

test("L67 indices that point nowhere, and loops, are refused", () => {
  const layer = { blob: blob("a"), parent: -1 };
  refuses({ layers: [{ blob: "nonsense" }] }, /no digest/);
  refuses({ layers: [{ ...layer, parent: 1 }] }, /parent layer 1 does not exist/);
  refuses({ layers: [{ ...layer, parent: -2 }] }, /no index/);
  refuses({ layers: [{ blob: blob("a") }] }, /loop/);
  refuses({ layers: [{ ...layer, parent: 1 }, { blob: blob("b") }] }, /loop/);
  refuses({ records: [{ digest: "x", layers: [{ layer: 0 }] }] }, /layer 0 does not exist/);
  refuses({ records: [{ digest: "x", chains: [{ layers: [3] }] }] }, /layer 3 does not exist/);
  refuses({ records: [{ digest: "x", inputs: [[{ link: 5 }]] }] }, /record 5 does not exist/);
  refuses({ records: [{ digest: "x", inputs: [[]] }] }, /without alternatives/);
  refuses({ records: [{ digest: "x", inputs: [[{ link: 0 }]] }] }, /loop/);
  refuses(
    {
      records: [
        { digest: "x", inputs: [[{ link: 1 }]] },
        { digest: "y", inputs: [[{ link: 0 }]] },
      ],
    },
    /loop/,
  );
  refuses({ records: [{}] }, /digest is no text/);
  refuses([], /not an object/);
  assert.throws(() => parseCacheConfig(Buffer.from("{")), { code: "CACHE_INVALID" });
});

test("L66 the layers of an inline cache are the image's, each on the one before", () => {
  const bytes = Buffer.from(JSON.stringify([{ digest: "sha256:1", layers: [{ layer: 1 }] }]));
  const { layers } = parseInlineRecords(bytes, [blob("a"), blob("b")]);
  assert.deepEqual(layers, [
    { blob: blob("a"), parent: -1 },
    { blob: blob("b"), parent: 0 },
  ]);
  assert.throws(() => parseInlineRecords(bytes, [blob("a")]), { code: "CACHE_INVALID" });
});

test("L63 a config is written sorted, whatever the order of its records, and is read as what it was", () => {
  const one = {
    layers: [
      { blob: blob("z"), parent: -1 },
      { blob: blob("a"), parent: 0 },
    ],
    records: [
      { digest: "sha256:b", inputs: [], layers: [{ layer: 1 }], chains: [] },
      { digest: "sha256:a", inputs: [[{ selector: "", link: 0 }]], layers: [], chains: [] },
    ],
  };
  const other = {
    layers: [
      { blob: blob("a"), parent: 1 },
      { blob: blob("z"), parent: -1 },
    ],
    records: [
      { digest: "sha256:a", inputs: [[{ selector: "", link: 1 }]], layers: [], chains: [] },
      { digest: "sha256:b", inputs: [], layers: [{ layer: 0 }], chains: [] },
    ],
  };
  const bytes = encodeCacheConfig(one);
  assert.equal(Buffer.from(bytes).toString(), Buffer.from(encodeCacheConfig(other)).toString());
  assert.equal(Buffer.from(encodeCacheConfig(parseCacheConfig(bytes))).toString(), Buffer.from(bytes).toString());
});

test("L67 a config that no reader would take is not written", () => {
  const records = Array.from({ length: 20_000 }, (_, index) => ({
    digest: sha256(String(index)),
    inputs: [],
    layers: [],
    chains: [],
  }));
  assert.throws(() => encodeCacheConfig({ layers: [], records }), {
    code: "CACHE_TOO_LARGE",
    details: { limit: "maxCacheDocumentBytes", value: cacheLimits.maxCacheDocumentBytes },
  });
});

test("any JSON is read as a sound config or refused with a code", () => {
  const index = fc.oneof(fc.integer({ min: -2, max: 4 }), fc.constant(undefined), fc.double());
  const config = fc.record({
    layers: fc.array(fc.record({ blob: fc.constantFrom(blob("a"), blob("b"), "x"), parent: index })),
    records: fc.array(
      fc.record({
        digest: fc.constantFrom("sha256:1", blob("k"), 3),
        inputs: fc.array(fc.array(fc.record({ link: index, selector: fc.constantFrom("", "s", undefined) }))),
        layers: fc.array(fc.record({ layer: index })),
        chains: fc.array(fc.record({ layers: fc.array(index) })),
      }),
    ),
  });
  fc.assert(
    fc.property(fc.oneof(config, fc.jsonValue()), (value) => {
      try {
        const { layers, records } = parse(value);
        for (const { parent } of layers) assert.ok(parent >= -1 && parent < layers.length);
        for (const { inputs } of records) for (const { link } of inputs.flat()) assert.ok(link >= 0 && link < records.length);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "CACHE_INVALID");
      }
    }),
  );
});
