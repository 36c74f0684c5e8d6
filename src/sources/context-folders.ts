import { lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import type { State } from "../state/index.ts";
import type { FolderRef } from "../snapshots/index.ts";
import { openDirectoryTree, type ContentCache, type FolderMemory, type Tree } from "../tree/index.ts";

export const sourcesSchema = `
DROP TABLE IF EXISTS file_contents;
CREATE TABLE IF NOT EXISTS folder_contents ( -- what was read of folders of contexts; may be emptied at any time
  dev TEXT NOT NULL,
  ino TEXT NOT NULL,
  names TEXT NOT NULL,    -- of everything in it, joined by slashes
  records BLOB NOT NULL,  -- size, mode, owner, mtime, ctime and so on of each at the time of reading
  view TEXT NOT NULL,     -- which of the names the build saw
  digest TEXT NOT NULL,   -- of the entries that it saw
  contents TEXT NOT NULL, -- digests of data and attributes, one a line
  used INTEGER NOT NULL,  -- when it was written, milliseconds since 1970
  PRIMARY KEY (dev, ino)
);
CREATE TABLE IF NOT EXISTS resolved_images (
  name TEXT PRIMARY KEY, -- canonical reference
  digest TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  time INTEGER NOT NULL -- when the registry said so, milliseconds since 1970
) WITHOUT ROWID;
`;

/** The folders that a build reads in place. One for each build: what it saw of a folder is kept for the build's time. */
export interface ContextFolders extends Disposable {
  /** The folder as the build sees it. Contents that were read in an earlier build are remembered. */
  tree(folder: FolderRef): Tree;
  /** Whether no build remembers anything of what is at a path in the folder: a step that reads it will run. Links are not followed. */
  isNew(folder: FolderRef, path: string): boolean;
}

export function createContextFolders({ state }: { readonly state: State }): ContextFolders {
  const trees = new Map<string, Tree>();
  const cache = rememberIn(state);
  return {
    tree(folder) {
      const key = JSON.stringify(folder);
      let tree = trees.get(key);
      if (!tree) {
        tree = openDirectoryTree(folder.path, {
          exclude: folder.exclude,
          ...(folder.only.length > 0 ? { only: folder.only } : {}),
          resetOwner: true,
          cache,
        });
        trees.set(key, tree);
      }
      return tree;
    },
    isNew(folder, path) {
      const place = join(folder.path, path);
      try {
        const found = lstatSync(place, { bigint: true });
        const { dev, ino } = found.isDirectory() ? found : lstatSync(dirname(place), { bigint: true });
        return cache.recall(dev, ino) === undefined;
      } catch {
        return false; // whoever reads it tells why it cannot be read
      }
    },
    [Symbol.dispose]() {
      for (const tree of trees.values()) tree.close();
      trees.clear();
      cache.flush();
    },
  };
}

/** Folders that are written to the database together: a transaction for each would cost more than the reading. */
const maxPending = 1_000;

/** The stat cache: device and inode of a folder find a row, the records of what is in it say what still holds. */
function rememberIn(state: State): ContentCache & { flush(): void } {
  const pending = new Map<string, { readonly dev: bigint; readonly ino: bigint; readonly memory: FolderMemory }>();
  const flush = (): void => {
    if (pending.size === 0) return;
    const now = Date.now();
    state.transaction(() => {
      for (const { dev, ino, memory } of pending.values()) {
        state.run(
          "INSERT OR REPLACE INTO folder_contents (dev, ino, names, records, view, digest, contents, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          String(dev),
          String(ino),
          memory.names,
          memory.records,
          memory.view,
          memory.digest,
          memory.contents().join("\n"),
          now,
        );
      }
    });
    pending.clear();
  };
  return {
    flush,
    recall(dev, ino) {
      const key = [String(dev), String(ino)] as const;
      const unwritten = pending.get(key.join(":"));
      if (unwritten !== undefined) return unwritten.memory;
      const row = state.get<{ names: string; records: Uint8Array; view: string; digest: string }>(
        "SELECT names, records, view, digest FROM folder_contents WHERE dev = ? AND ino = ?",
        ...key,
      );
      if (row === undefined) return undefined;
      const { names, records, view, digest } = row;
      // Most folders are as they were, and nobody asks. Another process may have written meanwhile: only the same row counts.
      const contents = (): string[] =>
        state
          .get<{ contents: string }>(
            "SELECT contents FROM folder_contents WHERE dev = ? AND ino = ? AND names = ? AND records = ?",
            ...key,
            names,
            records,
          )
          ?.contents.split("\n") ?? [];
      const { buffer, byteOffset, byteLength } = records;
      return { names, view, digest, records: Buffer.from(buffer, byteOffset, byteLength), contents };
    },
    remember(dev, ino, memory) {
      pending.set(`${dev}:${ino}`, { dev, ino, memory });
      if (pending.size >= maxPending) flush();
    },
  };
}
