import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  createWriteStream,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
} from "node:fs";
import type { BigIntStats } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createZstdCompress } from "node:zlib";
import { VarveError } from "../errors/index.ts";
import { digestOfHex, type Digest } from "../oci/index.ts";
import { lgetxattr, llistxattr, splitDevice } from "../sys/index.ts";
import { encodeEntry, endOfArchive, padding, type EntryType } from "../tar/index.ts";
import type { TaskContext } from "../worker/index.ts";
import { lanePath, readAbout } from "./cache-folders.ts";
import { tryLock, untilChosen, type Held } from "./locks.ts";
import type { Packed, PackParams } from "./tasks.ts";

/**
 * Makes a blob of one of a cache's folders: a tar in zstd with modes, owners, attributes, hard links, and times to the
 * nanosecond, which build tools compare. It waits until no step uses the cache, and steps wait until it is done: the
 * content is one that stood between two steps. The same content gives the same bytes. Undefined where there is no content.
 */
export async function packMount(
  { folder, lane: number, path }: PackParams,
  { signal, emit }: TaskContext<{ readonly waiting: true }>,
): Promise<Packed | undefined> {
  const root = dirname(folder);
  const lane = lanePath(folder, number);
  const onWait = () => emit({ waiting: true });
  const taken = await untilChosen(root, { signal, onWait }, () => (existsSync(lane) ? tryTransfer(folder, lane) : "gone"));
  if (taken === "gone") return undefined;
  using _transfer = taken.transfer;
  using _lock = taken.lock;
  const fs = join(lane, "fs");
  const about = readAbout(folder);
  if (about === undefined || !existsSync(fs)) return undefined;
  const { mode, uid, gid } = lstatSync(fs);
  const { id, seed } = about;
  const where = number === 0 ? {} : { lane: number };
  const facts = { id, mode: mode & 0o7777, uid, gid, ...(seed === undefined ? {} : { seed }), ...where };
  try {
    return { ...(await writeBlob(fs, path, signal)), facts };
  } catch (error) {
    rmSync(path, { force: true });
    signal.throwIfAborted();
    throw explain(error, id);
  }
}

/** The first folder's second lock keeps steps from taking any of them. */
function tryTransfer(folder: string, lane: string): { readonly lock: Held; readonly transfer: Held } | undefined {
  const lock = tryLock(lane, "lock", "exclusive");
  const transfer = lock && tryLock(folder, "transfer", "exclusive");
  if (lock !== undefined && transfer !== undefined) return { lock, transfer };
  lock?.[Symbol.dispose]();
  return undefined;
}

async function writeBlob(
  fs: string,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const hash = createHash("sha256");
  let size = 0;
  await pipeline(
    blocksOf(entriesOf(Buffer.from(fs))),
    createZstdCompress(),
    async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(path, { flags: "wx", mode: 0o600 }),
    { signal },
  );
  return { digest: digestOfHex(hash.digest("hex")), size };
}

const blockBytes = 1 << 18;

/** Headers and small files in larger pieces: a stream costs by the piece. */
function* blocksOf(parts: Iterable<Buffer>): Generator<Buffer, void, undefined> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for (const part of parts) {
    waiting.push(part);
    bytes += part.length;
    if (bytes < blockBytes) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  yield Buffer.concat(waiting);
}

function* entriesOf(root: Buffer): Generator<Buffer, void, undefined> {
  const firstNames = new Map<bigint, Buffer>();
  const visit = function* (folder: Buffer, parent: Buffer | undefined): Generator<Buffer, void, undefined> {
    for (const name of readdirSync(folder, { encoding: "buffer" }).toSorted((a, b) => Buffer.compare(a, b))) {
      const at = Buffer.concat([folder, slash, name]);
      const path = parent === undefined ? name : Buffer.concat([parent, slash, name]);
      const stats = lstatSync(at, { bigint: true });
      const type = typeOf(stats);
      if (type === undefined) continue;
      const first = stats.nlink > 1n && type !== "directory" ? firstNames.get(stats.ino) : undefined;
      if (first !== undefined) {
        yield encodeEntry({ ...describe(stats), type: "link", path, linkPath: first });
        continue;
      }
      firstNames.set(stats.ino, path);
      yield encodeEntry({
        ...describe(stats),
        type,
        path,
        xattrs: attributesOf(at),
        ...(type === "file" ? { size: Number(stats.size) } : {}),
        ...(type === "symlink" ? { linkPath: readlinkSync(at, { encoding: "buffer" }) } : {}),
        ...(type === "character" || type === "block" ? { device: splitDevice(stats.rdev) } : {}),
      });
      if (type === "file") yield* contentOf(at, Number(stats.size));
      if (type === "directory") yield* visit(at, path);
    }
  };
  yield* visit(root, undefined);
  yield endOfArchive;
}

const slash = Buffer.from("/");

/** A socket is of use to nobody once who made it is gone. */
function typeOf(stats: BigIntStats): EntryType | undefined {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  if (stats.isCharacterDevice()) return "character";
  return stats.isBlockDevice() ? "block" : undefined;
}

function describe({ mode, uid, gid, mtimeNs }: BigIntStats) {
  const nsec = ((mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const mtime = { sec: (mtimeNs - nsec) / 1_000_000_000n, nsec: Number(nsec) };
  return { mode: Number(mode & 0o7777n), uid: Number(uid), gid: Number(gid), mtime };
}

/** What a step may have set: a label of the machine's policy is none of it. */
function attributesOf(path: Buffer): readonly (readonly [name: string, value: Buffer])[] {
  return llistxattr(path)
    .filter((name) => name.startsWith("user.") || name === "security.capability" || name.startsWith("system.posix_acl_"))
    .toSorted()
    .map((name) => [name, lgetxattr(path, name) ?? Buffer.alloc(0)]);
}

function* contentOf(path: Buffer, size: number): Generator<Buffer, void, undefined> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    for (let left = size; left > 0;) {
      const chunk = Buffer.allocUnsafe(Math.min(left, blockBytes));
      const got = readSync(fd, chunk, 0, chunk.length, null);
      if (got === 0) throw new VarveError("CACHE_MOUNT_READ", "a file of a cache mount changed while it was read");
      left -= got;
      yield chunk.subarray(0, got);
    }
  } finally {
    closeSync(fd);
  }
  yield padding(size);
}

function explain(error: unknown, id: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  if (code === "ENOSPC" || code === "EDQUOT")
    return new VarveError("DISK_FULL", "no space is left to pack a cache mount", { cause: error });
  return new VarveError("CACHE_MOUNT_READ", `the cache mount ${id} cannot be read: ${code}`, { cause: error });
}
