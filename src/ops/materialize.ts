import { hash } from "node:crypto";
import { plainCopy, type FileAction, type Vertex } from "../llb/index.ts";
import type { FolderRef, StackRef } from "../snapshots/index.ts";
import { wholePath } from "../tree/index.ts";
import { digestOf } from "./content.ts";
import type { OpsOptions } from "./create-ops.ts";
import { placeOf } from "./place.ts";
import { toWireRef, writeSnapshot } from "./stacks.ts";
import { fileTask } from "./tasks.ts";
import { contextChanged } from "./unchanged-context.ts";

/**
 * A path of a user's folder as a snapshot, at the same path, so that a command can have it mounted: without the files
 * that `.dockerignore` hides, owned by root, and safe from edits while the command runs. Made once for one content.
 */
export async function materialize(
  folder: FolderRef,
  path: string,
  vertex: Vertex,
  options: OpsOptions,
  signal: AbortSignal,
): Promise<StackRef> {
  const sinceMs = Date.now();
  const content = await digestOf(folder, { selector: wholePath(path) }, options, vertex, signal);
  const key = hash("sha256", JSON.stringify(["folder", path, content]));
  const known = options.cache.load(key)?.[0];
  if (known?.kind === "stack") return known;
  return options.materializing.run(
    key,
    async (flightSignal) => {
      const stack = await writeSnapshot([], options, async (snapshot) => {
        await options.worker.call(
          fileTask,
          { inputs: [toWireRef(folder, options.snapshots)], actions: [copyOf(path)], snapshot },
          { signal: flightSignal },
        );
        if ((await digestOf(folder, { selector: wholePath(path) }, options, vertex, flightSignal)) === content) return;
        throw contextChanged(options.folders.tree(folder), [wholePath(path)], sinceMs).at(placeOf(vertex, options.sources));
      });
      options.cache.saveStack(
        key,
        stack,
        `files of the context for ${vertex.metadata.description["llb.customname"] ?? vertex.digest}`,
      );
      return stack;
    },
    { signal },
  );
}

function copyOf(path: string): FileAction {
  return {
    kind: "copy",
    input: -1,
    secondaryInput: 0,
    output: 0,
    copy: { ...plainCopy, src: path, dest: path, followSymlink: true, dirCopyContents: true },
  };
}
