import { closeSync, mkdirSync, openSync, utimesSync, writeSync } from "node:fs";
import { join } from "node:path";
import { diffLayer } from "../layers/index.ts";
import { mountStack } from "../snapshots/index.ts";
import { copyInto, openDirectoryTree } from "../tree/index.ts";
import type { TaskContext } from "../worker/index.ts";
import { checkCollisions, removeOthers } from "./folder-contents.ts";
import type { FilesParams, FilesProgress } from "./tasks.ts";

/** Writes all files of roots as one tar: to the tar writer a root is a layer on top of nothing. */
export async function runTarTask(
  { roots, dest, mtime }: FilesParams,
  { scratch, userNamespace, callersPath, signal, emit }: TaskContext<FilesProgress>,
): Promise<void> {
  const file = openSync(callersPath(dest), "wx", 0o666);
  try {
    let written = 0;
    const sink = (chunk: Uint8Array): void => {
      for (let offset = 0; offset < chunk.length;) offset += writeSync(file, chunk, offset);
      written += chunk.length;
    };
    for (const [index, { lowers, folder }] of roots.entries()) {
      using root = mountStack({ lowers: [...lowers], scratch, userXattr: userNamespace });
      await diffLayer({
        upper: root.path,
        lowers: [],
        userXattr: userNamespace,
        sink,
        signal,
        ...(mtime === undefined ? {} : { mtime }),
        ...(folder === undefined ? {} : { within: folder }),
        more: index < roots.length - 1,
      });
      emit({ current: written });
    }
  } finally {
    closeSync(file);
  }
}

/** Copies all files of roots into a folder of the user's; they belong to whoever builds. */
export async function runFolderTask(
  { roots, dest, mtime, removeOthers: removes = false }: FilesParams,
  { scratch, userNamespace, callersPath, signal, emit }: TaskContext<FilesProgress>,
): Promise<void> {
  using mounted = new DisposableStack();
  const sources = roots.map(({ lowers, folder, name }) => ({
    path: mounted.use(mountStack({ lowers: [...lowers], scratch, userXattr: userNamespace })).path,
    folder,
    name,
  }));
  checkCollisions(sources);
  const target = callersPath(dest);
  let before = 0;
  for (const { path, folder } of sources) {
    const tree = openDirectoryTree(path, { resetOwner: false });
    const into = folder === undefined ? target : join(target, folder);
    if (folder !== undefined) mkdirSync(into, { recursive: true, mode: 0o755 });
    try {
      const totals = await copyInto(into, tree, copyOf(mtime), {
        owner: { uid: 0, gid: 0 },
        signal,
        onProgress: ({ bytes }) => emit({ current: before + bytes }),
      });
      before += totals.bytes;
      if (folder !== undefined && mtime !== undefined) utimesSync(into, mtime, mtime);
    } finally {
      tree.close();
    }
  }
  if (removes) await removeOthers(target, sources);
}

function copyOf(mtime: number | undefined): Parameters<typeof copyInto>[2] {
  return {
    src: "/",
    dest: "/",
    mode: -1,
    modeStr: "",
    timestamp: mtime === undefined ? -1 : mtime * 1_000_000_000,
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
}
