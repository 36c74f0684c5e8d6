import type { Stats } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { encodeEntry, endOfArchive, padding, type EntryType, type TarHeader } from "../tar/index.ts";
import type { ChangedPath } from "./watch-rules.ts";

/**
 * A tar of single paths of this machine under their places in a container, folders without what is in them. What is gone by now is
 * left out, and so is what is neither file, folder nor link. A file that changes while it is read is as long as it was when opened.
 */
export async function* packFiles(
  paths: readonly ChangedPath[],
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const { path, target } of paths) {
    signal?.throwIfAborted();
    if (target === "/") continue;
    const stats = await unlessMissing(lstat(path));
    if (stats?.isFile() === true) yield* packFile(path, target);
    else if (stats?.isDirectory() === true) yield encodeEntry(headerOf(target, "directory", stats));
    else if (stats?.isSymbolicLink() === true) {
      const linkPath = await unlessMissing(readlink(path));
      if (linkPath !== undefined) yield encodeEntry({ ...headerOf(target, "symlink", stats), linkPath });
    }
  }
  yield endOfArchive;
}

async function* packFile(path: string, target: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await unlessMissing(open(path, "r"));
  if (file === undefined) return;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return;
    yield encodeEntry({ ...headerOf(target, "file", stats), size: stats.size });
    let left = stats.size;
    if (left > 0) {
      for await (const chunk of file.createReadStream({ start: 0, end: stats.size - 1, autoClose: false })) {
        left -= (chunk as Buffer).length;
        yield chunk as Buffer;
      }
    }
    if (left > 0) yield Buffer.alloc(left);
    yield padding(stats.size);
  } finally {
    await file.close();
  }
}

/** Without root, the ids of this machine are none of the container's: all is its root's, as this user's files are in a bind mount. */
function headerOf(target: string, type: EntryType, stats: Stats): TarHeader {
  const isRoot = process.getuid?.() === 0;
  return {
    type,
    path: target.slice(1),
    mode: stats.mode & 0o7777,
    uid: isRoot ? stats.uid : 0,
    gid: isRoot ? stats.gid : 0,
    mtime: { sec: BigInt(Math.floor(stats.mtimeMs / 1000)), nsec: 0 },
  };
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
