import { isVarveError } from "../errors/index.ts";
import type { Vertex } from "../llb/index.ts";
import { isStack, type Ref } from "../snapshots/index.ts";
import type { ContentSelector } from "../tree/index.ts";
import type { OpsOptions } from "./create-ops.ts";
import { placeOf } from "./place.ts";
import { digestReading } from "./reading.ts";
import { digestTask, type Reading } from "./tasks.ts";

/** Digest of what an op reads of a result: a stack's is computed once and kept, a folder's is read off the folder each time. */
export async function digestOf(
  ref: Ref,
  reading: Reading,
  options: OpsOptions,
  vertex: Vertex,
  signal: AbortSignal,
): Promise<string> {
  try {
    if (!isStack(ref)) return digestReading(options.folders.tree(ref), reading);
    const { snapshots, cache, worker } = options;
    const lowers = ref.layers.map((id) => snapshots.fsPath(id));
    return await cache.contentDigest(ref.layers, JSON.stringify(reading), () =>
      worker.call(digestTask, { lowers, reading }, { signal }),
    );
  } catch (error) {
    throw isVarveError(error) ? error.at(placeOf(vertex, options.sources)) : error;
  }
}

/** A path with everything below it, links in the path followed: what a mount of it shows. */
export function wholePath(path: string): ContentSelector {
  return {
    path: path || "/",
    wildcard: false,
    allowEmptyWildcard: false,
    followLinks: true,
    includePatterns: [],
    excludePatterns: [],
    requiredPaths: [],
    dirContentsOnly: false,
  };
}
