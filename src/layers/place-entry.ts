import {
  closeSync,
  constants,
  copyFileSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
} from "node:fs";
import { rmdirSync, symlinkSync, unlinkSync, writeSync, type Stats } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { fdPath, hasCode, lgetxattr, llistxattr, makeWhiteout, mknod } from "../sys/index.ts";
import type { TarEntry } from "../tar/index.ts";
import { setAttributes } from "./attributes.ts";
import { cleanParts, showPath, toFsPath, type BytePath } from "./byte-path.ts";
import { findLowerPath, type LowerFolder } from "./lower-view.ts";
import { isWhiteout, markOpaque } from "./overlay-marks.ts";
import { splitNanoseconds, type ParentFolders } from "./parent-folders.ts";

type FsPath = string | Buffer;

/** What placing an entry needs to know about its layer. */
export interface LayerTarget {
  readonly folders: ParentFolders;
  readonly lowers: LowerFolder;
  readonly userXattr: boolean;
  /** No layer but an archive unpacked into a mounted root: nothing in it is an overlay's mark. */
  readonly isArchive: boolean;
  /** A folder and something else never take each other's place (LAYER_CONFLICT); the folder's name for messages. */
  readonly keepsKinds?: string | undefined;
}

interface Place {
  readonly folder: number;
  readonly base: BytePath;
  readonly layer: LayerTarget;
}

/** What lies at a path itself. */
export function kindAt(path: FsPath): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Makes one entry in the open folder, in the place of what an earlier entry put there. False: a device that may not be made here. */
export async function placeEntry(entry: TarEntry, { folder, base, layer }: Place): Promise<boolean> {
  const path = toFsPath(`${fdPath(folder)}/${base}`);
  const { name, mode, uid, gid, xattrs, mtime } = entry;
  switch (entry.type) {
    case "file":
      await placeFile(entry, path, layer);
      return true;
    case "directory":
      placeFolder(path, entry, layer);
      setAttributes(path, { mode, uid, gid, xattrs }, { kind: "folder", name });
      return true;
    case "link":
      placeLink(entry, path, layer);
      return true;
    case "symlink":
      replacing(path, entry, layer, () => symlinkSync(entry.linkPath, path));
      setAttributes(path, { mode, uid, gid, xattrs, mtime }, { kind: "symlink", name });
      return true;
    case "fifo":
    case "character":
    case "block":
      return placeNode(entry, path, layer);
  }
}

/** Hides a name of the layers below. What this layer itself has under it stays, and no longer mixes with theirs. */
export function placeWhiteout(path: FsPath, { userXattr }: LayerTarget): void {
  const present = kindAt(path);
  if (present === undefined) makeWhiteout(path);
  else if (present.isDirectory()) markOpaque(path, userXattr);
}

/** Runs what must make a new name; if there is something, that goes first. */
function replacing<T>(path: FsPath, entry: TarEntry, layer: LayerTarget, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    removePresent(path, entry, layer);
    layer.folders.forget();
    return make();
  }
}

/** Makes room for an entry that is no folder. Where kinds are kept nothing is ever removed but one name: others may work in the root. */
function removePresent(path: FsPath, entry: TarEntry, layer: LayerTarget): void {
  if (layer.keepsKinds === undefined) return removeTree(path);
  if (kindAt(path)?.isDirectory() === true) throw otherKind("directory", "non-directory", entry, layer);
  unlinkSync(path);
}

function otherKind(present: string, wanted: string, { name }: TarEntry, { keepsKinds = "" }: LayerTarget): VarveError {
  const shown = JSON.stringify(name.replace(/^\.\//, "").replace(/\/+$/, ""));
  return new VarveError("LAYER_CONFLICT", `cannot overwrite ${present} ${shown} with ${wanted} ${JSON.stringify(keepsKinds)}`);
}

/** Takes away what lies there, never what a link leads to. */
function removeTree(path: FsPath): void {
  if (kindAt(path)?.isDirectory() !== true) return unlinkSync(path);
  for (const name of readdirSync(path, { encoding: "buffer" })) removeTree(Buffer.concat([Buffer.from(path), slash, name]));
  rmdirSync(path);
}

const slash = Buffer.from("/");

async function placeFile(entry: TarEntry, path: FsPath, layer: LayerTarget): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = replacing(path, entry, layer, () => openSync(path, flags, 0o600));
  try {
    const whole = entry.segments === undefined ? entry.takeStored() : undefined;
    if (whole !== undefined) writeAll(fd, whole);
    else if (entry.segments === undefined) for await (const chunk of entry.stored) writeAll(fd, chunk);
    else await writeSparse(fd, entry);
    const { name, mode, uid, gid, xattrs, mtime } = entry;
    setAttributes(path, { mode, uid, gid, xattrs, mtime }, { kind: "file", fd, name });
  } finally {
    closeSync(fd);
  }
}

function writeAll(fd: number, bytes: Uint8Array, position: number | null = null): void {
  for (let at = 0; at < bytes.length;)
    at += writeSync(fd, bytes, at, bytes.length - at, position === null ? null : position + at);
}

async function writeSparse(fd: number, entry: TarEntry): Promise<void> {
  const pending = (entry.segments ?? []).values();
  let segment = pending.next().value;
  let within = 0;
  for await (const chunk of entry.stored) {
    for (let at = 0; at < chunk.length && segment !== undefined;) {
      const piece = chunk.subarray(at, at + segment.length - within);
      writeAll(fd, piece, segment.offset + within);
      at += piece.length;
      within += piece.length;
      if (within < segment.length) continue;
      segment = pending.next().value;
      within = 0;
    }
  }
  ftruncateSync(fd, entry.size);
}

/** A folder on a folder keeps its content; on a whiteout of this layer it is one that hides what is below. */
function placeFolder(path: FsPath, entry: TarEntry, layer: LayerTarget): void {
  try {
    mkdirSync(path, 0o755);
  } catch (error) {
    const present = hasCode(error, "EEXIST") ? kindAt(path) : undefined;
    if (present === undefined) throw error;
    if (present.isDirectory()) return;
    if (layer.keepsKinds !== undefined) throw otherKind("non-directory", "directory", entry, layer);
    removeTree(path);
    layer.folders.forget();
    mkdirSync(path, 0o755);
    if (isWhiteout(present)) markOpaque(path, layer.userXattr);
  }
}

function placeNode(entry: TarEntry, path: FsPath, layer: LayerTarget): boolean {
  const { type, device, name, mode, uid, gid, xattrs, mtime } = entry;
  if (!layer.isArchive && type === "character" && device.major === 0 && device.minor === 0) {
    placeWhiteout(path, layer);
    return true;
  }
  const format = {
    fifo: constants.S_IFIFO,
    character: constants.S_IFCHR,
    block: constants.S_IFBLK,
  }[type as "fifo" | "character" | "block"];
  try {
    replacing(path, entry, layer, () => mknod(path, format | 0o600, type === "fifo" ? { major: 0, minor: 0 } : device));
  } catch (error) {
    if (!hasCode(error, "EPERM")) throw error;
    if (layer.userXattr) return false;
    throw new VarveError("LAYER_DEVICE_DENIED", `the device "${name}" may not be made here`, {
      cause: error,
      hint: "run as a user that may make device nodes (CAP_MKNOD), or without root, where device nodes are left out",
    });
  }
  setAttributes(path, { mode, uid, gid, xattrs, mtime }, { kind: "other", name });
  return true;
}

/**
 * A further name for a file. The first name may itself be a link, which is then linked, not followed (containerd does the
 * same). A file that only the layers below have is copied up, since a link cannot cross layers.
 */
function placeLink(entry: TarEntry, path: FsPath, layer: LayerTarget): void {
  const { name, mode, uid, gid, xattrs, mtime } = entry;
  const parts = cleanParts(entry.linkPath.toString("latin1"));
  const base = parts.at(-1);
  const missing = (): VarveError =>
    new VarveError("LAYER_MALFORMED", `"${name}" is a link to "${entry.linkPath.toString()}", which is no file`);
  if (base === undefined || (layer.isArchive && parts.join("/") === cleanParts(entry.path.toString("latin1")).join("/")))
    throw missing();
  const parent = layer.folders.find(parts.slice(0, -1));
  let source = parent === undefined ? undefined : toFsPath(`${fdPath(parent)}/${base}`);
  let stats = source === undefined ? undefined : kindAt(source);
  if (stats === undefined) {
    source = copyUp(parts, layer) ?? source;
    stats = source === undefined ? undefined : kindAt(source);
  }
  if (source === undefined || stats === undefined || stats.isDirectory() || isWhiteout(stats)) throw missing();
  const present = kindAt(path);
  if (present === undefined || present.ino !== stats.ino || present.dev !== stats.dev) {
    const from = source;
    if (present !== undefined) {
      removePresent(path, entry, layer);
      layer.folders.forget();
      if (kindAt(from) === undefined) throw missing(); // it lay in what was replaced
    }
    linkSync(from, path);
  }
  const kind = stats.isSymbolicLink() ? "symlink" : stats.isFile() ? "file" : "other";
  // The entry's own attributes count too, but giving the same owner again would only take the capabilities away.
  const keepOwner = stats.uid === uid && stats.gid === gid;
  setAttributes(path, { mode, uid, gid, xattrs, mtime }, { kind, name, keepOwner });
}

/** A copy of a regular file of the layers below, at its path in this layer; undefined when there is none. */
function copyUp(parts: readonly BytePath[], layer: LayerTarget): FsPath | undefined {
  const below = findLowerPath(layer.lowers, parts);
  if (below === undefined || !below.stats.isFile()) return undefined;
  const from = toFsPath(below.path);
  const path = toFsPath(`${fdPath(layer.folders.ensure(parts.slice(0, -1)))}/${parts.at(-1) ?? ""}`);
  copyFileSync(from, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  const { mode, uid, gid, mtimeNs } = below.stats;
  const xattrs = llistxattr(from).map((key) => [key, lgetxattr(from, key) ?? Buffer.alloc(0)] as const);
  const attributes = {
    mode: Number(mode & 0o7777n),
    uid: Number(uid),
    gid: Number(gid),
    xattrs,
    mtime: splitNanoseconds(mtimeNs),
  };
  setAttributes(path, attributes, { kind: "file", name: showPath(parts.join("/")) });
  return path;
}
