import { malformed } from "./failures.ts";
import type { TarTime } from "./entry.ts";

export const blockSize = 512;

/** The fields of one 512-byte header as they stand there, before PAX and GNU entries overrule them. */
export interface HeaderBlock {
  readonly typeFlag: string;
  readonly path: Buffer;
  readonly linkPath: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: TarTime;
  readonly uname: string;
  readonly gname: string;
  readonly major: number;
  readonly minor: number;
  /** The block itself, for the fields of GNU's sparse files. */
  readonly block: Buffer;
}

const empty = Buffer.alloc(0);

/**
 * Reads a header block (POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"). Undefined for
 * a block of zeros. The checksum must hold, as unsigned or, from old programs, signed bytes.
 */
export function decodeHeaderBlock(block: Buffer, position: number): HeaderBlock | undefined {
  let unsigned = 0;
  let high = 0;
  for (let i = 0; i < blockSize; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : (block[i] ?? 0);
    unsigned += byte;
    if (byte > 127) high += 256;
  }
  if (unsigned === 256 && isZero(block)) return undefined;
  const expected = readOctal(block, 148, 8);
  if (expected !== unsigned && expected !== unsigned - high) {
    throw malformed(`the header at byte ${position} has a wrong checksum`);
  }
  const magic = block.toString("latin1", 257, 265);
  const posix = magic === "ustar\x0000";
  const named = posix || magic === "ustar  \0"; // the second is GNU's, with other things in the place of the prefix
  const name = text(block, 0, 100);
  const prefix = posix ? text(block, 345, block.toString("latin1", 508, 512) === "tar\0" ? 131 : 155) : empty;
  const typeFlag = String.fromCharCode(block[156] ?? 0);
  const device = typeFlag === "3" || typeFlag === "4";
  return {
    typeFlag,
    path: prefix.length === 0 ? name : Buffer.concat([prefix, slash, name]),
    linkPath: text(block, 157, 100),
    mode: Number(readNumber(block, 100, 8, "mode")) & 0o7777,
    uid: readCount(block, 108, 8, "uid"),
    gid: readCount(block, 116, 8, "gid"),
    size: readCount(block, 124, 12, "size"),
    mtime: { sec: readNumber(block, 136, 12, "mtime"), nsec: 0 },
    uname: named ? text(block, 265, 32).toString() : "",
    gname: named ? text(block, 297, 32).toString() : "",
    major: device && named ? readCount(block, 329, 8, "devmajor") : 0,
    minor: device && named ? readCount(block, 337, 8, "devminor") : 0,
    block,
  };
}

const slash = Buffer.from("/");

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

function text(block: Buffer, start: number, length: number): Buffer {
  const end = block.indexOf(0, start);
  return block.subarray(start, end === -1 || end > start + length ? start + length : end);
}

/** A number that is not negative and that JavaScript can hold exactly. */
export function readCount(block: Buffer, start: number, length: number, field: string): number {
  const first = block[start] ?? 0;
  if (first < 0x80) return readOctal(block, start, length) ?? wrong(field);
  const value = readNumber(block, start, length, field);
  return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : wrong(field);
}

function wrong(field: string): never {
  throw malformed(`a header's field ${field} is no number that it may be`);
}

/** Octal digits, or GNU's base-256: the high bit is set, the rest is a big-endian number in two's complement. */
function readNumber(block: Buffer, start: number, length: number, field: string): bigint {
  const first = block[start] ?? 0;
  if (first < 0x80) return BigInt(readOctal(block, start, length) ?? wrong(field));
  let value = BigInt(first & 0x7f);
  if ((first & 0x40) !== 0) value -= 0x80n;
  for (let i = start + 1; i < start + length; i++) value = (value << 8n) | BigInt(block[i] ?? 0);
  if (value < -(2n ** 63n) || value >= 2n ** 63n) wrong(field);
  return value;
}

/** Blanks and NULs may stand on both sides; nothing at all is 0. Undefined when there is something else. */
function readOctal(block: Buffer, start: number, length: number): number | undefined {
  let i = start;
  let end = start + length;
  const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0;
  while (i < end && isBlank(block[i])) i++;
  while (end > i && isBlank(block[end - 1])) end--;
  let value = 0;
  for (; i < end; i++) {
    const digit = (block[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) {
      // Some writers leave what was in the buffer after the NUL.
      return block[i] === 0 ? value : undefined;
    }
    value = value * 8 + digit;
  }
  return value;
}
