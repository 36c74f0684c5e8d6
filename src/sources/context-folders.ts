import type { State } from "../state/index.ts";
import type { FolderRef } from "../snapshots/index.ts";
import { openDirectoryTree, type ContentCache, type Tree } from "../tree/index.ts";

export const sourcesSchema = `
CREATE TABLE IF NOT EXISTS file_contents (
  dev TEXT NOT NULL,
  ino TEXT NOT NULL,
  stamp TEXT NOT NULL,   -- size, mode, mtime and ctime at the time of reading
  content TEXT NOT NULL, -- digest of data and attributes
  PRIMARY KEY (dev, ino)
) WITHOUT ROWID;
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
  /** Bytes of files that had to be read for digests so far, and the bytes of all that were asked for. */
  readonly progress: { readonly readBytes: number; readonly seenBytes: number };
}

/**
 * A file whose times are this near to now may change once more without its times changing (coarse clocks of file systems):
 * its content is not remembered. Milliseconds.
 */
const youngMs = 2_000;

export function createContextFolders({ state }: { readonly state: State }): ContextFolders {
  const trees = new Map<string, Tree>();
  const progress = { readBytes: 0, seenBytes: 0 };
  const cache = rememberIn(state, progress);
  return {
    progress,
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
    [Symbol.dispose]() {
      for (const tree of trees.values()) tree.close();
      trees.clear();
    },
  };
}

/** The stat cache: device and inode find a row, size, mode and times say whether it still holds. */
function rememberIn(state: State, progress: { readBytes: number; seenBytes: number }): ContentCache {
  const stampOf = (entry: Parameters<ContentCache["recall"]>[1]) =>
    `${entry.size}:${entry.mode}:${entry.mtimeNs}:${entry.ctimeNs}`;
  return {
    recall(_path, entry) {
      progress.seenBytes += entry.size;
      const row = state.get<{ stamp: string; content: string }>(
        "SELECT stamp, content FROM file_contents WHERE dev = ? AND ino = ?",
        String(entry.dev),
        String(entry.ino),
      );
      return row?.stamp === stampOf(entry) ? row.content : undefined;
    },
    remember(_path, entry, content) {
      progress.readBytes += entry.size;
      const newest = entry.mtimeNs > entry.ctimeNs ? entry.mtimeNs : entry.ctimeNs;
      if (newest > BigInt(Date.now() - youngMs) * 1_000_000n) return;
      state.run(
        "INSERT OR REPLACE INTO file_contents (dev, ino, stamp, content) VALUES (?, ?, ?, ?)",
        String(entry.dev),
        String(entry.ino),
        stampOf(entry),
        content,
      );
    },
  };
}
