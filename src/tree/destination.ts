import { chmodSync, lchownSync, mkdirSync, rmdirSync, unlinkSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { utimensNoFollow, type FileTime } from "../sys/index.ts";
import type { OwnerIds } from "./owner.ts";
import { parentPath } from "./path-text.ts";
import { openRootedFolder, pathsBottomUp, type RootedFolder } from "./rooted-folder.ts";
import { quote, toTreeError } from "./tree-error.ts";

/** Times given to what has none of its own: 1970, so that no clock gets into a layer. */
export const epoch: FileTime = { sec: 0n, nsec: 0 };

/** Nanoseconds since 1970 as the system has them; before 1970 the seconds are negative, never the nanoseconds. */
export function toFileTime(ns: bigint): FileTime {
  const nsec = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { sec: (ns - nsec) / 1_000_000_000n, nsec: Number(nsec) };
}

/** A root that is written to. Folders that are only written into get their times back in `finish`. */
export interface Destination {
  readonly root: RootedFolder;
  /** Expands links in `path`, also the last one, inside the root. */
  resolve(path: string): string;
  /** Makes the missing ones of a folder and its parents; `path` is resolved. Something else in the way: TREE_CONFLICT. */
  makeFolders(path: string, made: { readonly mode: number; readonly owner: OwnerIds | undefined; readonly time: FileTime }): void;
  /** To be called before something in `folder` is made or removed. */
  keepTime(folder: string): void;
  /** The time that a folder has in the end, whatever is still written into it. */
  setTime(folder: string, time: FileTime): void;
  /** Removes what is at a resolved path, with everything in it. */
  remove(path: string): void;
}

/** Runs `write` on the root at `rootPath`, then sets the folders' times and closes. Errors of the system become VarveErrors. */
export async function writeInto<T>(rootPath: string, write: (destination: Destination) => Promise<T> | T): Promise<T> {
  const root = open(rootPath);
  try {
    const times = new Map<string, FileTime>();
    const result = await write(createDestination(root, times));
    for (const [path, time] of times) {
      if (root.lstat(path)?.isDirectory() === true) utimensNoFollow(root.place(path), { atime: time, mtime: time });
    }
    return result;
  } catch (error) {
    throw toTreeError(error, "write into the root", rootPath);
  } finally {
    root.close();
  }
}

function open(rootPath: string): RootedFolder {
  try {
    return openRootedFolder(rootPath);
  } catch (error) {
    throw toTreeError(error, `open the root ${quote(rootPath)}`, rootPath);
  }
}

function createDestination(root: RootedFolder, times: Map<string, FileTime>): Destination {
  const keepTime = (folder: string): void => {
    if (times.has(folder)) return;
    const stats = root.lstat(folder);
    if (stats !== undefined) times.set(folder, toFileTime(stats.mtimeNs));
  };
  const makeFolders: Destination["makeFolders"] = (path, made) => {
    const missing: string[] = [];
    let at = path;
    for (let stats = root.lstat(at); stats?.isDirectory() !== true; stats = root.lstat(at)) {
      if (stats !== undefined) {
        throw new VarveError("TREE_CONFLICT", `cannot make the folder ${quote(path)}: ${quote(at)} is not a folder`, {
          details: { path, conflict: at },
        });
      }
      missing.push(at);
      at = parentPath(at);
    }
    for (const folder of missing.reverse()) {
      keepTime(parentPath(folder));
      try {
        mkdirSync(root.place(folder), made.mode);
        if (made.owner !== undefined) lchownSync(root.place(folder), made.owner.uid, made.owner.gid);
        chmodSync(root.place(folder), made.mode); // mkdir obeys the umask
      } catch (error) {
        throw toTreeError(error, `make the folder ${quote(folder)}`, folder);
      }
      times.set(folder, made.time);
    }
  };
  const remove = (path: string): void => {
    const stats = root.lstat(path);
    if (stats === undefined) return;
    keepTime(parentPath(path));
    const removeOne = (one: string): void => {
      if (root.lstat(one)?.isDirectory() !== true) return unlinkSync(root.place(one));
      root.forget(one);
      rmdirSync(root.place(one));
      times.delete(one);
    };
    try {
      if (stats.isDirectory()) for (const below of pathsBottomUp(root, path)) removeOne(below);
      removeOne(path);
    } catch (error) {
      throw toTreeError(error, `remove ${quote(path)}`, path);
    }
  };
  return {
    root,
    resolve: (path) => root.resolve(path, { followLast: true }),
    makeFolders,
    keepTime,
    setTime: (folder, time) => void times.set(folder, time),
    remove,
  };
}
