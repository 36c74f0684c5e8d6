import { createByteWindow } from "./byte-window.ts";
import { createBitReader, decodeBlock } from "./bzip2-block.ts";
import { DamagedData } from "./damaged-data.ts";

/** More than a block can have: 32767 groups of 50 symbols of 20 bits, and its tables. */
const maxBlockBytes = 4_200_000;
const pieceBytes = 1 << 18;

/**
 * Undoes bzip2, also several streams in a row. Both checksums are compared. Holds one block: at most 4.2 MB as stored and
 * 3.6 MB of links, whatever it unpacks to. {@link DamagedData} for everything that is not bzip2.
 */
export async function* decodeBzip2(source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const window = createByteWindow(source);
  for (let first = true; ; first = false) {
    const header = await window.take(4);
    if (header.length === 0 && !first) return;
    const level = (header[3] ?? 0) - 0x30;
    if (header.length < 4 || header[0] !== 0x42 || header[1] !== 0x5a || header[2] !== 0x68 || level < 1 || level > 9) {
      throw new DamagedData(first ? "it has no header" : "what follows a stream is none");
    }
    let streamCheck = 0;
    for (let skip = 0, ended = false; !ended;) {
      const bits = createBitReader(await window.fill(maxBlockBytes), skip);
      const [high, low] = [bits.read(24), bits.read(24)];
      const check = (bits.read(16) << 16) | bits.read(16);
      if (high === 0x177245 && low === 0x385090) {
        ended = true;
        if (check !== streamCheck) throw new DamagedData("its checksum is wrong");
      } else if (high === 0x314159 && low === 0x265359) {
        const block = decodeBlock(bits, level * 100_000);
        const blockCheck = yield* expandRuns(block);
        if (check !== blockCheck) throw new DamagedData("the checksum of a block is wrong");
        streamCheck = ((streamCheck << 1) | (streamCheck >>> 31)) ^ check;
      } else {
        throw new DamagedData("a block does not begin where it should");
      }
      const position = bits.position();
      // The end of a stream fills its last byte up.
      window.drop(ended ? Math.ceil(position / 8) : position >> 3);
      skip = position & 7;
    }
  }
}

/** Undoes the runs: after four equal bytes stands how many more there are. Returns the block's checksum. */
function* expandRuns({ links, start, length }: ReturnType<typeof decodeBlock>): Generator<Uint8Array, number, undefined> {
  let piece = new Uint8Array(pieceBytes);
  let filled = 0;
  let check = -1;
  let place = start;
  let last = -1;
  let equal = 0;
  for (let i = 0; i < length; i++) {
    const link = links[place]!;
    place = link >>> 8;
    const byte = link & 0xff;
    let count = 1;
    let value = byte;
    if (equal === 4) {
      count = byte;
      value = last;
      equal = 0;
      last = -1;
    } else if (byte === last) {
      equal += 1;
    } else {
      last = byte;
      equal = 1;
    }
    if (filled + count > pieceBytes) {
      yield piece.subarray(0, filled);
      piece = new Uint8Array(pieceBytes);
      filled = 0;
    }
    for (let n = 0; n < count; n++) {
      check = (check << 8) ^ checkTable[((check >>> 24) ^ value) & 0xff]!;
      piece[filled++] = value;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
  return ~check;
}

/** CRC-32 with the highest bit first, which zlib's is not. */
const checkTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
});
