import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isVarveError } from "../errors/index.ts";
import {
  createGraphBuilder,
  decodeDefinition,
  encodeDefinition,
  encodeOp,
  encodeTerminal,
  loadGraph,
  opDigest,
} from "./index.ts";
import type { Definition, Input, Op, OpDigest } from "./types.ts";

const source = (identifier: string): Op => ({
  inputs: [],
  constraints: { filter: [] },
  kind: "source",
  source: { identifier, attrs: {} },
});
const merge = (inputs: readonly Input[]): Op => ({
  inputs,
  constraints: { filter: [] },
  kind: "merge",
  merge: { inputs: inputs.map((_, index) => index) },
});
const remove = (input: Input): Op => ({
  inputs: [input],
  kind: "file",
  file: {
    actions: [
      {
        input: 0,
        secondaryInput: -1,
        output: 0,
        kind: "rm",
        rm: { path: "/a", allowNotFound: false, allowWildcard: false },
      },
    ],
  },
});
const first = (digest: OpDigest): Input => ({ digest, index: 0 });

function build(): Definition {
  const builder = createGraphBuilder();
  const file = builder.addSource({
    filename: "Dockerfile",
    data: new Uint8Array([70, 82]),
    language: "Dockerfile",
  });
  const a = builder.add(source("local://a"), {
    metadata: { description: { "llb.customname": "a" }, caps: { "source.local": true } },
  });
  const b = builder.add(source("local://b"), { metadata: { ignoreCache: true } });
  const location = {
    sourceIndex: file,
    ranges: [{ start: { line: 1, character: 0 }, end: { line: 2, character: 3 } }],
  };
  builder.add(source("local://a"), {
    metadata: { description: { more: "x" } },
    locations: [location],
  });
  return builder.finish(first(builder.add(merge([first(a), first(b)]))));
}

test("L02 equal ops become one vertex, and what is known of them adds up", () => {
  const graph = loadGraph(build());
  const vertices = [...graph.vertices.values()];
  assert.deepEqual(
    vertices.map(({ op }) => op.kind),
    ["source", "source", "merge"],
  );
  assert.deepEqual(vertices[0]?.metadata.description, { "llb.customname": "a", more: "x" });
  assert.equal(vertices[0]?.locations[0]?.ranges[0]?.end.line, 2);
  assert.equal(vertices[1]?.metadata.ignoreCache, true);
  assert.equal(graph.result?.digest, vertices[2]?.digest);
});

test("L02 L03 a definition survives its encoding, source map and metadata included", () => {
  const definition = build();
  assert.deepEqual(decodeDefinition(encodeDefinition(definition)), definition);
  assert.deepEqual(decodeDefinition(encodeDefinition({ def: [], metadata: {} })), {
    def: [],
    metadata: {},
  });
});

test("an empty definition is an empty file system", () => {
  assert.equal(loadGraph(createGraphBuilder().finish(undefined)).result, undefined);
});

test("L02 a graph whose parts do not fit together is LLB_INVALID", () => {
  const a = encodeOp(source("local://a"));
  const end = encodeTerminal(first(opDigest(a)));
  const use = encodeOp(remove(first(opDigest(a))));
  const wrong: Record<string, Uint8Array[]> = {
    "no terminal": [a],
    "terminal twice": [a, end, end],
    "input after its user": [use, a, encodeTerminal(first(opDigest(use)))],
    "unknown input": [end],
    "output out of range": [a, encodeTerminal({ digest: opDigest(a), index: 1 })],
    "negative output": [a, encodeTerminal({ digest: opDigest(a), index: -1 })],
    "mount of a missing input": [a, encodeOp(merge([first(opDigest(a))])), Buffer.from("320208055a00", "hex")],
  };
  for (const [name, def] of Object.entries(wrong))
    assert.throws(() => loadGraph({ def, metadata: {} }), { code: "LLB_INVALID" }, name);
});

test("a graph larger than the limits is LLB_TOO_LARGE", () => {
  assert.throws(() => loadGraph(build(), { maxVertices: 2 }), { code: "LLB_TOO_LARGE" });
  assert.throws(() => loadGraph(build(), { maxBytes: 50 }), { code: "LLB_TOO_LARGE" });
});

test("malformed definitions never crash or hang", () => {
  const valid = encodeDefinition(build());
  fc.assert(
    fc.property(fc.nat(valid.length - 1), fc.nat(255), fc.boolean(), (place, value, cut) => {
      const bytes = Uint8Array.from(cut ? valid.subarray(0, place) : valid);
      if (!cut) bytes[place] = value;
      try {
        loadGraph(decodeDefinition(bytes));
      } catch (error) {
        assert.ok(isVarveError(error), String(error));
      }
    }),
    { numRuns: 500 },
  );
});
