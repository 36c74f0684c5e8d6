import { closeSync, openSync, writeSync } from "node:fs";
import { diffLayer } from "../layers/index.ts";
import { mountStack } from "../snapshots/index.ts";
import { copyInto, openDirectoryTree } from "../tree/index.ts";
import type { TaskContext } from "../worker/index.ts";
import type { FilesParams, FilesProgress } from "./tasks.ts";

/** Writes all files of a root as one tar: to the tar writer a root is a layer on top of nothing. */
export async function runTarTask(
  { lowers, dest }: FilesParams,
  { scratch, userNamespace, callersPath, signal, emit }: TaskContext<FilesProgress>,
): Promise<void> {
  using root = mountStack({ lowers, scratch, userXattr: userNamespace });
  const file = openSync(callersPath(dest), "wx", 0o666);
  try {
    let written = 0;
    const sink = (chunk: Uint8Array): void => {
      for (let offset = 0; offset < chunk.length;) offset += writeSync(file, chunk, offset);
      written += chunk.length;
    };
    await diffLayer({ upper: root.path, lowers: [], userXattr: userNamespace, sink, signal });
    emit({ current: written });
  } finally {
    closeSync(file);
  }
}

/** Copies all files of a root into a folder of the user's; they belong to whoever builds. */
export async function runFolderTask(
  { lowers, dest }: FilesParams,
  { scratch, userNamespace, callersPath, signal, emit }: TaskContext<FilesProgress>,
): Promise<void> {
  using root = mountStack({ lowers, scratch, userXattr: userNamespace });
  const tree = openDirectoryTree(root.path, { resetOwner: false });
  const copy = {
    src: "/",
    dest: "/",
    mode: -1,
    modeStr: "",
    timestamp: -1,
    followSymlink: false,
    dirCopyContents: true,
    attemptUnpack: false,
    createDestPath: true,
    allowWildcard: false,
    allowEmptyWildcard: false,
    includePatterns: [],
    excludePatterns: [],
    requiredPaths: [],
    alwaysReplaceExistingDestPaths: true,
  };
  try {
    await copyInto(callersPath(dest), tree, copy, {
      owner: { uid: 0, gid: 0 },
      signal,
      onProgress: ({ bytes }) => emit({ current: bytes }),
    });
  } finally {
    tree.close();
  }
}
