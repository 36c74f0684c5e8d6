/**
 * BuildKit's LLB: the graph of a build as values, and its protobuf encoding, byte for byte as BuildKit writes it (the bytes
 * are a vertex's identity). Builds graphs, encodes, decodes and checks them. Never runs or resolves anything: pure, no
 * files, no network. The protobuf codec is our own small one: nothing to load at start-up.
 */
export type * from "./types.ts";
export { plainCopy } from "./plain-copy.ts";
export { decodeOp, encodeOp, encodeTerminal, opDigest } from "./op.ts";
export { decodeDefinition, encodeDefinition } from "./definition.ts";
export { createGraphBuilder, type GraphBuilder, type OpFacts } from "./graph-builder.ts";
export { loadGraph, type GraphLimits } from "./load-graph.ts";
export { mergeGraphs, type MergedGraph } from "./merge-graphs.ts";
