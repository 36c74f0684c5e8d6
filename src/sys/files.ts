import { constants, statfsSync } from "node:fs";
import { atCwd, call, cString, syscallNumbers, tryCall } from "./libc.ts";

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** The device number as stat(2) and mknod(2) have it (glibc's makedev). */
export function makeDevice({ major, minor }: DeviceNumber): bigint {
  const [M, m] = [BigInt(major), BigInt(minor)];
  return (m & 0xffn) | ((M & 0xfffn) << 8n) | ((m & 0xffffff00n) << 12n) | ((M & 0xfffff000n) << 32n);
}

/** The inverse of {@link makeDevice}, for `stats.rdev`. */
export function splitDevice(device: bigint | number): DeviceNumber {
  const d = BigInt(device);
  return {
    major: Number(((d >> 8n) & 0xfffn) | ((d >> 32n) & 0xfffff000n)),
    minor: Number((d & 0xffn) | ((d >> 12n) & 0xffffff00n)),
  };
}

/** mknod(2): `mode` is type and permissions (`fs.constants.S_IFIFO | 0o644`); the umask applies to the permissions. */
export function mknod(path: string | Buffer, mode: number, device: DeviceNumber = { major: 0, minor: 0 }): void {
  call("mknod", path, (c) => c.mknodat(syscallNumbers.mknodat, atCwd, cString(path), mode, makeDevice(device)));
}

/** Overlay's mark for "this name was deleted": a character device 0:0. Needs no privilege, not even in a user namespace. */
export function makeWhiteout(path: string | Buffer): void {
  mknod(path, constants.S_IFCHR);
}

/** A time of a file: whole seconds since 1970 (negative before) and nanoseconds 0 to 999,999,999 after them. */
export interface FileTime {
  readonly sec: bigint;
  readonly nsec: number;
}

const times = Buffer.alloc(32);
const atSymlinkNoFollow = 0x100;

/** utimensat(2) without following a link at the end. What is left out stays as it is. */
export function utimensNoFollow(
  path: string | Buffer,
  { atime = "omit", mtime = "omit" }: { atime?: FileTime | "omit" | "now"; mtime?: FileTime | "omit" | "now" },
): void {
  writeTime(0, atime);
  writeTime(16, mtime);
  call("utimensat", path, (c) => c.utimensat(atCwd, cString(path), times, atSymlinkNoFollow));
}

/** Like {@link utimensNoFollow}, for an open file (not one opened as a place only). */
export function futimens(
  fd: number,
  { atime = "omit", mtime = "omit" }: { atime?: FileTime | "omit" | "now"; mtime?: FileTime | "omit" | "now" },
): void {
  writeTime(0, atime);
  writeTime(16, mtime);
  call("futimens", undefined, (c) => c.futimens(fd, times));
}

function writeTime(offset: number, time: FileTime | "omit" | "now"): void {
  const known = typeof time === "object";
  times.writeBigInt64LE(known ? time.sec : 0n, offset);
  times.writeBigInt64LE(BigInt(known ? time.nsec : (1 << 30) - (time === "now" ? 1 : 2)), offset + 8);
}

/** flock(2). False when `block` is false and another open file holds it. A waiting call stops the whole event loop. */
export function flock(fd: number, kind: "exclusive" | "shared" | "unlock", { block }: { readonly block: boolean }): boolean {
  const operation = { shared: 1, exclusive: 2, unlock: 8 }[kind] | (block ? 0 : 4);
  return tryCall("flock", undefined, [11], (c) => c.flock(fd, operation)) >= 0;
}

/** Writes everything of the file system that `fd` lies on to its disk. */
export function syncfs(fd: number): void {
  call("syncfs", undefined, (c) => c.syncfs(fd));
}

/** The magic number of the file system that holds `path` (statfs(2)); overlay is 0x794c7630, tmpfs 0x01021994. */
export function statfsType(path: string | Buffer): number {
  return statfsSync(path).type;
}
