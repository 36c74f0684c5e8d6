import { constants, type BigIntStats } from "node:fs";
import { openFlags } from "./open-in-root.ts";
import { load, type Libc } from "./libc.ts";
import { SysError } from "./sys-error.ts";
import { splitDevice, type FileTime } from "./files.ts";

/**
 * What statx(2) tells of a file, as bytes that are equal when nothing of it changed: links, owner, mode, inode, size, change
 * time, modification time, device numbers. Not: access time, blocks.
 */
export const statRecordBytes = 80;

/** The fields of a record. */
export interface StatFields {
  /** Type and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly size: number;
  readonly ino: bigint;
  readonly dev: bigint;
  readonly rdev: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

const answer = Buffer.alloc(256);
const basicStats = 0x7ff;
const noFollow = 0x100;
const emptyPath = 0x1000;

/** Copies the parts of a struct statx that a record keeps. */
function takeRecord(into: Buffer, at: number): void {
  answer.copy(into, at, 16, 48);
  into.fill(0, at + 14, at + 16); // padding beside the mode
  answer.copy(into, at + 32, 96, 144);
  into.fill(0, at + 44, at + 48);
  into.fill(0, at + 60, at + 64);
}

/** The record of a file that node:fs looked at: the same bytes as {@link statMany} writes. */
export function writeStatRecord(stats: BigIntStats, into: Buffer, at: number): void {
  into.fill(0, at, at + statRecordBytes);
  into.writeUInt32LE(Number(stats.nlink), at);
  into.writeUInt32LE(Number(stats.uid), at + 4);
  into.writeUInt32LE(Number(stats.gid), at + 8);
  into.writeUInt16LE(Number(stats.mode), at + 12);
  into.writeBigUInt64LE(stats.ino, at + 16);
  into.writeBigUInt64LE(stats.size, at + 24);
  for (const [ns, where] of [
    [stats.ctimeNs, at + 32],
    [stats.mtimeNs, at + 48],
  ] as const) {
    const nsec = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
    into.writeBigInt64LE((ns - nsec) / 1_000_000_000n, where);
    into.writeUInt32LE(Number(nsec), where + 8);
  }
  const [rdev, dev] = [splitDevice(stats.rdev), splitDevice(stats.dev)];
  into.writeUInt32LE(rdev.major, at + 64);
  into.writeUInt32LE(rdev.minor, at + 68);
  into.writeUInt32LE(dev.major, at + 72);
  into.writeUInt32LE(dev.minor, at + 76);
}

export function readStatRecord(from: Buffer, at: number): StatFields {
  return {
    nlink: from.readUInt32LE(at),
    uid: from.readUInt32LE(at + 4),
    gid: from.readUInt32LE(at + 8),
    mode: from.readUInt16LE(at + 12),
    ino: from.readBigUInt64LE(at + 16),
    size: Number(from.readBigUInt64LE(at + 24)),
    ctimeNs: from.readBigInt64LE(at + 32) * 1_000_000_000n + BigInt(from.readUInt32LE(at + 40)),
    mtimeNs: from.readBigInt64LE(at + 48) * 1_000_000_000n + BigInt(from.readUInt32LE(at + 56)),
    rdev: deviceAt(from, at + 64),
    dev: deviceAt(from, at + 72),
  };
}

/** The encoding of stat(2). */
function deviceAt(from: Buffer, at: number): bigint {
  const [M, m] = [BigInt(from.readUInt32LE(at)), BigInt(from.readUInt32LE(at + 4))];
  return (m & 0xffn) | ((M & 0xfffn) << 8n) | ((m & 0xffffff00n) << 12n) | ((M & 0xfffff000n) << 32n);
}

/** Mode of a record without reading the rest. */
export function recordMode(from: Buffer, at: number): number {
  return from.readUInt16LE(at + 12);
}

/**
 * lstat of many names in an open folder, 1.6 µs each: writes a record for each into `into`, one after the other. A name that
 * is gone gets zeros. Names are well-formed strings without NUL.
 */
export function statMany(folder: number, names: readonly string[], into: Buffer): void {
  const { libc, errno } = load();
  let at = 0;
  for (const name of names) {
    if (libc.statx(folder, name, noFollow, basicStats, answer) === 0) takeRecord(into, at);
    else if (errno() === 2) into.fill(0, at, at + statRecordBytes);
    else throw new SysError(errno(), "statx", name);
    at += statRecordBytes;
  }
}

/** Largest file that {@link copySmallFile} and {@link readSmallFile} take. */
export const smallFileBytes = 256 * 1024;
const data = Buffer.allocUnsafeSlow(smallFileBytes);
const times = Buffer.alloc(32);
const found = Buffer.alloc(statRecordBytes);

export interface SmallCopy {
  readonly folder: number;
  readonly name: string;
  /** The source's record; the copy fails with "changed" when the file is another one by the time it was read. */
  readonly record: Buffer;
  readonly recordAt: number;
  readonly toFolder: number;
  readonly toName: string;
  /** Permissions and set-id bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly time: FileTime;
}

/**
 * Copies one small regular file to a new name with its metadata, in as few calls as it takes. "attributes": copied, and the
 * source has extended attributes, which are the caller's to copy. "exists": the target was there; nothing was done.
 */
export function copySmallFile(copy: SmallCopy): "copied" | "attributes" | "exists" | "changed" {
  const { libc, errno } = load();
  const size = Number(copy.record.readBigUInt64LE(copy.recordAt + 24));
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_WRONLY, O_CREAT, O_EXCL } = constants;
  const fd = libc.openat(copy.folder, copy.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | openFlags.cloexec, 0);
  if (fd < 0) {
    if ([2, 20, 40].includes(errno())) return "changed";
    throw new SysError(errno(), "openat", copy.name);
  }
  let attributes: boolean;
  try {
    if (readAll(libc, errno, fd, size, copy.name) !== size) return "changed";
    if (libc.statx(fd, "", emptyPath, basicStats, answer) !== 0) throw new SysError(errno(), "statx", copy.name);
    takeRecord(found, 0);
    if (found.compare(copy.record, copy.recordAt, copy.recordAt + statRecordBytes) !== 0) return "changed";
    attributes = libc.flistxattr(fd, null, 0) > 0;
  } finally {
    libc.close(fd);
  }
  const out = libc.openat(
    copy.toFolder,
    copy.toName,
    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | openFlags.cloexec,
    copy.mode & 0o777,
  );
  if (out < 0) {
    if (errno() === 17) return "exists";
    throw new SysError(errno(), "openat", copy.toName);
  }
  const check = (result: number, syscall: string): void => {
    if (result < 0) throw new SysError(errno(), syscall, copy.toName);
  };
  try {
    for (let done = 0; done < size;) {
      const wrote = libc.write(out, done === 0 ? data : data.subarray(done), size - done);
      check(wrote, "write");
      done += wrote;
    }
    // The umask, a set-group-id folder or a default ACL may have given it something else.
    check(libc.statx(out, "", emptyPath, basicStats, answer), "statx");
    if (answer.readUInt32LE(20) !== copy.uid || answer.readUInt32LE(24) !== copy.gid) {
      check(libc.fchown(out, copy.uid, copy.gid), "fchown");
      check(libc.fchmod(out, copy.mode), "fchmod");
    } else if ((answer.readUInt16LE(28) & 0o7777) !== copy.mode) check(libc.fchmod(out, copy.mode), "fchmod");
    for (const at of [0, 16]) {
      times.writeBigInt64LE(copy.time.sec, at);
      times.writeBigInt64LE(BigInt(copy.time.nsec), at + 8);
    }
    check(libc.futimens(out, times), "futimens");
  } finally {
    libc.close(out);
  }
  return attributes ? "attributes" : "copied";
}

/** What a small file holds, if it is still the file of `record`; undefined when not. The bytes are good until the next call. */
export function readSmallFile(
  folder: number,
  name: string,
  record: Buffer,
  recordAt: number,
): { readonly data: Buffer; readonly attributes: boolean } | undefined {
  const { libc, errno } = load();
  const size = Number(record.readBigUInt64LE(recordAt + 24));
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = libc.openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | openFlags.cloexec, 0);
  if (fd < 0) {
    if ([2, 20, 40].includes(errno())) return undefined;
    throw new SysError(errno(), "openat", name);
  }
  try {
    if (readAll(libc, errno, fd, size, name) !== size) return undefined;
    if (libc.statx(fd, "", emptyPath, basicStats, answer) !== 0) throw new SysError(errno(), "statx", name);
    takeRecord(found, 0);
    if (found.compare(record, recordAt, recordAt + statRecordBytes) !== 0) return undefined;
    return { data: data.subarray(0, size), attributes: libc.flistxattr(fd, null, 0) > 0 };
  } finally {
    libc.close(fd);
  }
}

/** Reads up to `size` bytes; whether the file goes on, statx tells. */
function readAll(libc: Libc, errno: () => number, fd: number, size: number, name: string): number {
  let done = 0;
  while (done < size) {
    const got = libc.read(fd, done === 0 ? data : data.subarray(done), size - done);
    if (got < 0) throw new SysError(errno(), "read", name);
    if (got === 0) break;
    done += got;
  }
  return done;
}
