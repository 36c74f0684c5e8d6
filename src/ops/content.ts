import { isVarveError } from "../errors/index.ts";
import type { Vertex } from "../llb/index.ts";
import { isStack, type Ref } from "../snapshots/index.ts";
import type { Selector } from "../tree/index.ts";
import type { OpsOptions } from "./create-ops.ts";
import { placeOf } from "./place.ts";
import { digestTask } from "./tasks.ts";

/** Digest of what an op reads of a result: a stack's is computed once and kept, a folder's is read off the folder each time. */
export async function digestOf(ref: Ref, selector: Selector, options: OpsOptions, vertex: Vertex, signal: AbortSignal): Promise<string> {
  try {
    if (!isStack(ref)) return options.folders.digest(ref, selector);
    const { snapshots, cache, worker } = options;
    const lowers = ref.layers.map((id) => snapshots.fsPath(id));
    return await cache.contentDigest(ref.layers, JSON.stringify(selector), () => worker.call(digestTask, { lowers, selector }, { signal }));
  } catch (error) {
    throw isVarveError(error) ? error.at(placeOf(vertex, options.sources)) : error;
  }
}
