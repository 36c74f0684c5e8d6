import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** A checksum over what a block of xz unpacks to. */
export interface Check {
  /** Bytes. */
  readonly size: number;
  update(bytes: Uint8Array): void;
  finish(): Uint8Array;
}

/** The check that a stream's flags name (.xz file format, 2.1.1.2); undefined for the reserved ones. */
export function checkOf(id: number): Check | undefined {
  if (id === 0) return { size: 0, update: () => undefined, finish: () => new Uint8Array(0) };
  if (id === 1) {
    let value = 0;
    return { size: 4, update: (bytes) => void (value = crc32(bytes, value)), finish: () => littleEndian(value) };
  }
  if (id === 4) return createCrc64();
  if (id !== 10) return undefined;
  const hash = createHash("sha256");
  return { size: 32, update: (bytes) => void hash.update(bytes), finish: () => hash.digest() };
}

/** CRC-64 of ECMA-182 with the lowest bit first, in halves of 32 bits. */
function createCrc64(): Check {
  let low = -1;
  let high = -1;
  return {
    size: 8,
    update(bytes) {
      for (let i = 0; i < bytes.length; i++) {
        const index = (low ^ bytes[i]!) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ lows[index]!;
        high = (high >>> 8) ^ highs[index]!;
      }
    },
    finish: () => Buffer.concat([littleEndian(~low), littleEndian(~high)]),
  };
}

const lows = new Int32Array(256);
const highs = new Int32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let low = byte;
  let high = 0;
  for (let bit = 0; bit < 8; bit++) {
    const out = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (out === 0) continue;
    low ^= 0xd7870f42 | 0;
    high ^= 0xc96c5795 | 0;
  }
  lows[byte] = low;
  highs[byte] = high;
}

function littleEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0);
  return bytes;
}
