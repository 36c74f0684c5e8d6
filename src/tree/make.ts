import { closeSync, constants, fchmodSync, fstatSync, lchownSync, openSync, symlinkSync, writeSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { utimensNoFollow, type FileTime } from "../sys/index.ts";
import { epoch, toFileTime, writeInto, type Destination } from "./destination.ts";
import { encodePath } from "./names.ts";
import type { OwnerIds } from "./owner.ts";
import { parentPath } from "./path-text.ts";
import { isMissing } from "./rooted-folder.ts";
import { quote, toTreeError } from "./tree-error.ts";

/** The fields of LLB's actions that make one thing; `timestamp` is nanoseconds since 1970, −1 for none given. */
export interface MakeDirectoryAction {
  readonly path: string;
  readonly mode: number;
  readonly makeParents: boolean;
  readonly timestamp: number;
}

export interface MakeFileAction {
  readonly path: string;
  readonly mode: number;
  readonly data: Uint8Array;
  readonly timestamp: number;
}

export interface MakeSymlinkAction {
  /** The target, as it is written into the link. */
  readonly oldPath: string;
  readonly newPath: string;
  readonly timestamp: number;
}

export interface MakeOptions {
  /** Absent: 0:0. */
  readonly owner?: OwnerIds | undefined;
  /** The time of what is made where the action gives none. Default 1970. */
  readonly createdTime?: FileTime;
}

/**
 * Makes a folder, optionally with its parents (all with the same mode, owner and time). What exists stays as it is; without
 * `makeParents` even if it is no folder, as in BuildKit. Links in the path are followed inside the root.
 */
export async function makeDirectory(rootPath: string, action: MakeDirectoryAction, options: MakeOptions = {}): Promise<void> {
  await writeInto(rootPath, (destination) => {
    const path = destination.resolve(action.path);
    if (!action.makeParents) {
      if (destination.root.lstat(path) !== undefined) return;
      requireFolder(destination, parentPath(path));
    }
    const made = { mode: action.mode & 0o777, owner: options.owner, time: timeOf(action, options) };
    destination.makeFolders(path, made);
  });
}

/** Writes a file; one that exists keeps its mode. Its folder must exist (TREE_NOT_FOUND); a folder or device there: TREE_CONFLICT. */
export async function makeFile(rootPath: string, action: MakeFileAction, options: MakeOptions = {}): Promise<void> {
  await writeInto(rootPath, (destination) => {
    const path = destination.resolve(action.path);
    const folder = parentPath(path);
    requireFolder(destination, folder);
    const existing = destination.root.lstat(path);
    if (existing !== undefined && !existing.isFile()) {
      throw new VarveError("TREE_CONFLICT", `cannot write the file ${quote(path)}: something else is there`, {
        details: { path },
      });
    }
    destination.keepTime(folder);
    making(path, () => {
      const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = constants;
      const fd = openSync(destination.root.place(path), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o600);
      try {
        for (let done = 0; done < action.data.length;) done += writeSync(fd, action.data, done);
        const mode = existing === undefined ? action.mode & 0o777 : fstatSync(fd).mode & 0o7777;
        giveOwner(destination, path, options.owner);
        fchmodSync(fd, mode);
      } finally {
        closeSync(fd);
      }
      setTime(destination, path, timeOf(action, options));
    });
  });
}

/** Makes a symbolic link; something there already is TREE_CONFLICT. Its target is not looked at. */
export async function makeSymlink(rootPath: string, action: MakeSymlinkAction, options: MakeOptions = {}): Promise<void> {
  await writeInto(rootPath, (destination) => {
    const path = destination.resolve(action.newPath);
    requireFolder(destination, parentPath(path));
    destination.keepTime(parentPath(path));
    making(path, () => {
      symlinkSync(encodePath(action.oldPath), destination.root.place(path));
      giveOwner(destination, path, options.owner);
      setTime(destination, path, timeOf(action, options));
    });
  });
}

function making(path: string, make: () => void): void {
  try {
    make();
  } catch (error) {
    throw toTreeError(error, `make ${quote(path)}`, path);
  }
}

function timeOf(action: { readonly timestamp: number }, options: MakeOptions): FileTime {
  return action.timestamp === -1 ? (options.createdTime ?? epoch) : toFileTime(BigInt(action.timestamp));
}

function giveOwner(destination: Destination, path: string, owner: OwnerIds | undefined): void {
  if (owner !== undefined) lchownSync(destination.root.place(path), owner.uid, owner.gid);
}

function setTime(destination: Destination, path: string, time: FileTime): void {
  utimensNoFollow(destination.root.place(path), { atime: time, mtime: time });
}

function requireFolder(destination: Destination, folder: string): void {
  try {
    if (destination.root.lstat(folder)?.isDirectory() === true) return;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  throw new VarveError("TREE_NOT_FOUND", `${quote(folder)}: not found`, { details: { path: folder } });
}
