import type { Graph, Input, OpDigest, Vertex } from "./types.ts";

/** Several graphs as one. Vertices that are equal are there once, with the name that they have in the first graph. */
export interface MergedGraph extends Pick<Graph, "vertices" | "sources"> {
  /** One for each graph, in order; undefined for an empty one. */
  readonly results: readonly (Input | undefined)[];
}

/** Merges graphs that were made of the same sources (one Dockerfile compiled for several platforms). */
export function mergeGraphs(graphs: readonly Graph[]): MergedGraph {
  const vertices = new Map<OpDigest, Vertex>();
  for (const graph of graphs)
    for (const [digest, vertex] of graph.vertices) if (!vertices.has(digest)) vertices.set(digest, vertex);
  const sources = graphs.find((graph) => graph.sources.length > 0)?.sources ?? [];
  return { vertices, sources, results: graphs.map(({ result }) => result) };
}
