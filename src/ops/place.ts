import type { SourceRange } from "../errors/index.ts";
import type { SourceInfo, Vertex } from "../llb/index.ts";

/** Where in the Dockerfile a vertex stands, as far as the graph's source map says. */
export function placeOf(vertex: Vertex, sources: readonly SourceInfo[]): SourceRange | undefined {
  const location = vertex.locations[0];
  const first = location?.ranges[0];
  const last = location?.ranges.at(-1);
  if (!location || !first || !last) return undefined;
  const info = sources[location.sourceIndex];
  return {
    file: info?.filename ?? "Dockerfile",
    startLine: first.start.line,
    startColumn: first.start.character + 1,
    endLine: last.end.line,
    endColumn: last.end.character + 1,
    ...(info ? { source: new TextDecoder().decode(info.data) } : {}),
  };
}
