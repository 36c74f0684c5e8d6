import type { Input, Vertex } from "../llb/index.ts";

/**
 * The vertices of a graph whose files nobody reads: a merge only puts its inputs on one another (`COPY --link`), and what is a result
 * may be known by its layers alone. `read` are results whose files somebody wants.
 */
export function findUnread(vertices: Iterable<Vertex>, read: readonly Input[] = []): ReadonlySet<string> {
  const all = new Map([...vertices].map((vertex) => [vertex.digest as string, vertex]));
  const unread = new Set(all.keys());
  const mark = (digest: string): void => {
    const vertex = all.get(digest);
    if (!unread.delete(digest) || vertex?.op.kind !== "merge") return;
    for (const input of vertex.op.inputs) mark(input.digest);
  };
  for (const { op } of all.values()) if (op.kind !== "merge") for (const input of op.inputs) mark(input.digest);
  for (const { digest } of read) mark(digest);
  return unread;
}
