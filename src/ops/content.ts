import { hash } from "node:crypto";
import { isVarveError } from "../errors/index.ts";
import { writeFileList } from "../explain/index.ts";
import type { Vertex } from "../llb/index.ts";
import { isStack, type Ref } from "../snapshots/index.ts";
import { hashAhead } from "../tree/index.ts";
import type { OpsOptions } from "./create-ops.ts";
import { placeOf } from "./place.ts";
import { digestReading } from "./reading.ts";
import { digestTask, type Reading } from "./tasks.ts";

/** Takes what is found out about contents beside their digests: enough to say later which files changed. */
export interface ContentObserver {
  /** A digest that stands for several. */
  readonly onParts: (digest: string, parts: readonly string[]) => void;
  /** A digest of files of the user's, with its `FileList` as text; absent for too many files. */
  readonly onList: (digest: string, list: string | undefined) => void;
  /** The entries of a folder in such a list, where they were read anew. */
  readonly onEntries: (digest: string, entries: string) => void;
  /** A digest of other files that was computed anew, with its packed list (see {@link digestTask}). */
  readonly onPacked: (digest: string, list: Uint8Array) => void;
}

/** One digest for all that an op reads of a result. */
export async function digestOfAll(
  ref: Ref,
  readings: readonly Reading[],
  options: OpsOptions,
  vertex: Vertex,
  signal: AbortSignal,
): Promise<string> {
  const parts: string[] = [];
  for (const reading of readings) parts.push(await digestOf(ref, reading, options, vertex, signal));
  const digest = hash("sha256", JSON.stringify(parts));
  options.contents?.onParts(digest, parts);
  return digest;
}

/** Digest of what an op reads of a result: a stack's is computed once and kept, a folder's is read off the folder each time. */
export async function digestOf(
  ref: Ref,
  reading: Reading,
  options: OpsOptions,
  vertex: Vertex,
  signal: AbortSignal,
): Promise<string> {
  try {
    const { snapshots, cache, worker, contents } = options;
    if (!isStack(ref)) {
      const tree = options.folders.tree(ref);
      const { path } = reading.selector;
      if (options.folders.isNew(ref, path)) {
        await worker.prepare();
        await hashAhead(tree, path, { signal });
      }
      if (contents === undefined) return digestReading(tree, reading);
      const list = writeFileList({ onEntries: contents.onEntries });
      const digest = digestReading(tree, reading, list);
      contents.onList(digest, list.text());
      return digest;
    }
    const lowers = snapshots.fsPaths(ref.layers);
    return await cache.contentDigest(ref.layers, JSON.stringify(reading), async () => {
      await options.images.bring(ref.layers, { signal, onStatus: (status) => options.onStatus(vertex.digest, status) });
      const { digest, files } = await worker.call(digestTask, { lowers, reading }, { signal });
      if (files) contents?.onPacked(digest, files);
      return digest;
    });
  } catch (error) {
    throw isVarveError(error) ? error.at(placeOf(vertex, options.sources)) : error;
  }
}
