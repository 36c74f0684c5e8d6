import { closeSync, constants, fstatSync, openSync, readSync, type BigIntStats } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { VarveError } from "../errors/index.ts";
import { throwIfAborted } from "../flow/index.ts";
import { hasCode, lgetxattr, llistxattr, splitDevice } from "../sys/index.ts";
import { encodeEntry, endOfArchive, padding, type EntryType, type TarHeader } from "../tar/index.ts";
import { encodePath, type RootedFolder } from "../tree/index.ts";

export interface PackPathOptions {
  readonly root: RootedFolder;
  /** Resolved: absolute, without links up to its last component. It is there. */
  readonly path: string;
  /** What the topmost entry is called; `.` for the content of a folder, and "" for that without an entry of its own. */
  readonly as: string;
  readonly signal?: AbortSignal | undefined;
}

/** Handed on at least; files come in pieces of this size. */
const blockBytes = 256 * 1024;
/** Of a file that says it is empty and is not, as those of /proc. */
const maxUnsizedBytes = 4 * 1024 * 1024;

/**
 * A tar of what lies at a path, as the archives of `docker cp` are: names from the topmost entry on, whole seconds, names of files with
 * several of them as links, capabilities and `user.*` attributes, no sockets. Whatever happens to the tree meanwhile, nothing outside of
 * its root is read. A file that becomes shorter is filled up with zeros.
 */
export async function* packPath({ root, path, as, signal }: PackPathOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const waiting: Uint8Array[] = [];
  const firstNames = new Map<string, string>();
  let bytes = 0;
  const put = (...pieces: readonly Uint8Array[]): boolean => {
    for (const piece of pieces) {
      waiting.push(piece);
      bytes += piece.length;
    }
    return bytes >= blockBytes;
  };
  const take = (): Uint8Array => {
    bytes = 0;
    return Buffer.concat(waiting.splice(0));
  };

  async function* walk(at: string, name: string): AsyncGenerator<Uint8Array, void, undefined> {
    throwIfAborted(signal);
    const stats = root.lstat(at);
    if (stats === undefined || stats.isSocket()) return;
    const inode = `${stats.dev}:${stats.ino}`;
    const first = stats.nlink > 1n && !stats.isDirectory() ? firstNames.get(inode) : undefined;
    if (stats.nlink > 1n && !stats.isDirectory() && first === undefined) firstNames.set(inode, name);
    if (first !== undefined) {
      if (put(encodeEntry({ ...describe(root, at, name, stats), type: "link", linkPath: bytesOf(first) }))) yield take();
      return;
    }
    if (stats.isFile()) {
      for (const piece of readFile(root, at, name)) {
        if (!put(piece)) continue;
        yield take();
        await setImmediate();
      }
      return;
    }
    if (name !== "" && put(encodeEntry(describe(root, at, name, stats)))) yield take();
    if (!stats.isDirectory()) return;
    const [above, before] = [at === "/" ? "" : at, name === "" ? "" : `${name}/`];
    for (const child of listNames(root, at)) yield* walk(`${above}/${child}`, `${before}${child}`);
  }

  yield* walk(path, as);
  put(endOfArchive);
  yield take();
}

/** Header, content and filling of a regular file, as it is when it is opened. */
function* readFile(root: RootedFolder, at: string, name: string): Generator<Uint8Array, void, undefined> {
  const place = root.place(at);
  let fd: number;
  try {
    fd = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ELOOP", "ENXIO")) return; // it is gone, or something else by now
    if (!hasCode(error, "EACCES", "EPERM")) throw error;
    throw new VarveError("CONTAINER_COPY", `open ${at}: permission denied`, { cause: error });
  }
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (!stats.isFile()) return;
    const unsized = stats.size === 0n ? readUnsized(fd) : undefined;
    const size = unsized?.length ?? Number(stats.size);
    yield encodeEntry({ ...describe(root, at, name, stats), size });
    if (unsized !== undefined) yield unsized;
    else yield* readSized(fd, size);
    yield padding(size);
  } finally {
    closeSync(fd);
  }
}

function* readSized(fd: number, size: number): Generator<Uint8Array, void, undefined> {
  for (let left = size; left > 0;) {
    const piece = Buffer.alloc(Math.min(left, blockBytes));
    const got = readSync(fd, piece, 0, piece.length, null);
    yield got === 0 ? piece : piece.subarray(0, got);
    left -= got === 0 ? piece.length : got;
  }
}

function readUnsized(fd: number): Uint8Array {
  const all: Buffer[] = [];
  for (let total = 0; total < maxUnsizedBytes;) {
    const piece = Buffer.alloc(65_536);
    const got = readSync(fd, piece, 0, piece.length, null);
    if (got === 0) break;
    all.push(piece.subarray(0, got));
    total += got;
  }
  return Buffer.concat(all);
}

function listNames(root: RootedFolder, at: string): readonly string[] {
  try {
    return root.names(at);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return [];
    if (!hasCode(error, "EACCES", "EPERM")) throw error;
    throw new VarveError("CONTAINER_COPY", `open ${at}: permission denied`, { cause: error });
  }
}

function describe(root: RootedFolder, at: string, name: string, stats: BigIntStats): TarHeader {
  const type = typeOf(stats);
  const place = root.place(at);
  return {
    type,
    path: bytesOf(name),
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: { sec: stats.mtimeNs / 1_000_000_000n, nsec: 0 },
    xattrs: llistxattr(place)
      .filter((key) => key === "security.capability" || (key.startsWith("user.") && !key.startsWith("user.overlay.")))
      .toSorted()
      .map((key) => [key, lgetxattr(place, key) ?? Buffer.alloc(0)] as const),
    ...(type === "symlink" && { linkPath: bytesOf(root.readLink(at)) }),
    ...((type === "character" || type === "block") && { device: splitDevice(stats.rdev) }),
  };
}

function typeOf(stats: BigIntStats): EntryType {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  return stats.isBlockDevice() ? "block" : "character";
}

function bytesOf(name: string): Uint8Array {
  return Buffer.from(encodePath(name));
}
