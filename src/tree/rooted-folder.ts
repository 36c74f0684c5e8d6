import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, type BigIntStats } from "node:fs";
import { fdPath, openFlags, openPath, statMany, statRecordBytes, writeStatRecord } from "../sys/index.ts";
import { decodeName, encodePath, sortNames } from "./names.ts";
import { baseName, childPath, isWithin, parentPath } from "./path-text.ts";
import { resolveInRoot } from "./resolve-in-root.ts";
import { errnoName } from "./tree-error.ts";

/**
 * A folder whose inside is reached only through open folders, each opened from its parent without following links: no
 * path can leave it, whatever links it holds or however they change. Paths are absolute (`/` is the folder), clean, and
 * free of links up to their last component; `resolve` makes such ones. Errors are those of node:fs.
 */
export interface RootedFolder {
  /** A path for node:fs calls that means `path`, good until the next call. Calls must not follow a link at its end. */
  place(path: string): string | Buffer;
  /** Like `place` for two paths of one call. */
  places(first: string, second: string): [string | Buffer, string | Buffer];
  /** The open folder (O_PATH). It belongs to this object, and may be closed by the next call. */
  folder(path: string): number;
  /** Undefined when nothing is there. */
  lstat(path: string): BigIntStats | undefined;
  readLink(path: string): string;
  /** Names in the folder, sorted by their bytes. */
  names(path: string): string[];
  /** lstat of names in a folder, as records of `sys`, one after the other; zeros for what is gone. */
  records(path: string, names: readonly string[]): Buffer;
  /** See {@link resolveInRoot}. */
  resolve(path: string, options: { readonly followLast: boolean }): string;
  /** To be called when a folder at `path` was removed or replaced. */
  forget(path: string): void;
  close(): void;
}

/** How many folders stay open at a time; deeper trees work, only slower. */
const maxOpenFolders = 128;

/** So many files are looked at with Node's own lstat, before koffi is worth the time to load it (about 6 ms). */
const maxPlainStats = 1_000;
let statCount = 0;

export function openRootedFolder(path: string): RootedFolder {
  const rootFd = openPath(encodePath(path));
  // In order of last use.
  const open = new Map<string, number>();
  let keepAll = false;

  const folder = (at: string): number => {
    if (at === "/") return rootFd;
    const known = open.get(at);
    if (known !== undefined) {
      open.delete(at);
      open.set(at, known);
      return known;
    }
    const fd = openSync(place(at), openFlags.path | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    open.set(at, fd);
    for (const [path, oldest] of open) {
      if (keepAll || open.size <= maxOpenFolders) break;
      open.delete(path);
      closeSync(oldest);
    }
    return fd;
  };
  const place = (at: string): string | Buffer =>
    at === "/" ? `${fdPath(rootFd)}/.` : encodePath(`${fdPath(folder(parentPath(at)))}/${baseName(at)}`);

  const lstat = (at: string): BigIntStats | undefined => {
    try {
      return lstatSync(place(at), { bigint: true, throwIfNoEntry: false });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };
  const readLink = (at: string): string => decodeName(readlinkSync(place(at), { encoding: "buffer" }));

  return {
    place,
    places(first, second) {
      keepAll = true;
      try {
        return [place(first), place(second)];
      } finally {
        keepAll = false;
      }
    },
    folder,
    lstat,
    readLink,
    names(at) {
      const where = fdPath(folder(at));
      const names = readdirSync(where);
      // Node puts U+FFFD for bytes that are not UTF-8: only then the bytes are asked for.
      if (!names.some((name) => name.includes("\uFFFD"))) return sortNames(names);
      return sortNames(readdirSync(where, { encoding: "buffer" }).map(decodeName));
    },
    records(at, names) {
      const records = Buffer.alloc(names.length * statRecordBytes);
      statCount += names.length;
      if (statCount > maxPlainStats && names.every((name) => name.isWellFormed())) {
        statMany(folder(at), names, records);
        return records;
      }
      for (const [index, name] of names.entries()) {
        const stats = lstat(childPath(at, name));
        if (stats !== undefined) writeStatRecord(stats, records, index * statRecordBytes);
      }
      return records;
    },
    resolve: (from, { followLast }) =>
      resolveInRoot(from, {
        followLast,
        linkAt: (at) => (!open.has(at) && lstat(at)?.isSymbolicLink() === true ? readLink(at) : undefined),
      }),
    forget(at) {
      for (const [key, fd] of open) {
        if (!isWithin(key, at)) continue;
        open.delete(key);
        closeSync(fd);
      }
    },
    close() {
      for (const fd of open.values()) closeSync(fd);
      open.clear();
      closeSync(rootFd);
    },
  };
}

/** Nothing at that path, or something that is no folder on the way to it. */
export function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP"].includes(errnoName(error));
}

/** All paths below `from`, children before their folder. */
export function* pathsBottomUp(root: RootedFolder, from: string): Generator<string> {
  const stack: { path: string; names: string[] }[] = [{ path: from, names: root.names(from) }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const name = top.names.pop();
    if (name === undefined) {
      stack.pop();
      if (stack.length > 0) yield top.path;
      continue;
    }
    const path = childPath(top.path, name);
    if (root.lstat(path)?.isDirectory() === true) stack.push({ path, names: root.names(path) });
    else yield path;
  }
}
