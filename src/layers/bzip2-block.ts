import { DamagedData } from "./damaged-data.ts";

/** Reads bits, the highest of each byte first. Running out of bytes is {@link DamagedData}. */
export interface BitReader {
  /** Up to 24 bits. */
  read(count: number): number;
  /** Bits read since the start of the bytes. */
  position(): number;
}

export function createBitReader(bytes: Uint8Array, start: number): BitReader {
  let at = start >> 3;
  let held = 0;
  let count = 0;
  const read = (wanted: number): number => {
    while (count < wanted) {
      const byte = bytes[at];
      if (byte === undefined) throw new DamagedData("it ends too early");
      at += 1;
      held = (held << 8) | byte;
      count += 8;
    }
    count -= wanted;
    return (held >>> count) & ((1 << wanted) - 1);
  };
  if ((start & 7) > 0) read(start & 7);
  return { read, position: () => at * 8 - count };
}

const groupSize = 50;
const maxCodeLength = 20;

/** Table of the lengths of a canonical Huffman code: for each length the highest code and what its symbols are numbered from. */
interface Code {
  readonly shortest: number;
  readonly limits: Int32Array;
  readonly bases: Int32Array;
  readonly symbols: Int32Array;
}

/**
 * The data of one block behind its checksum: Huffman codes, undone to the move-to-front list's indexes, undone to the
 * last column of the sorted block, undone to the block. What is left are the runs ({@link expandRuns}).
 */
export function decodeBlock(
  bits: BitReader,
  maxLength: number,
): { readonly links: Uint32Array; readonly start: number; readonly length: number } {
  if (bits.read(1) === 1) throw new DamagedData("it is of the old randomized kind");
  const origin = bits.read(24);
  const alphabet = readAlphabet(bits);
  const groups = bits.read(3);
  if (groups < 2 || groups > 6) throw new DamagedData("a block has an impossible number of codes");
  const selectors = readSelectors(bits, groups);
  const codes = Array.from({ length: groups }, () => readCode(bits, alphabet.length + 2));
  const column = new Uint32Array(maxLength);
  const length = readColumn(bits, { column, alphabet, selectors, codes });
  if (origin >= length) throw new DamagedData("a block starts outside itself");

  const starts = new Uint32Array(256);
  for (let i = 0; i < length; i++) starts[column[i]!]! += 1;
  for (let byte = 0, sum = 0; byte < 256; byte++) {
    const count = starts[byte]!;
    starts[byte] = sum;
    sum += count;
  }
  // Each cell's lower byte is a byte of the block, the upper three bytes the place of the next one.
  for (let i = 0; i < length; i++) column[starts[column[i]! & 0xff]!++]! |= i << 8;
  return { links: column, start: column[origin]! >>> 8, length };
}

function readAlphabet(bits: BitReader): Uint8Array {
  const used = bits.read(16);
  const bytes: number[] = [];
  for (let high = 0; high < 16; high++) {
    if ((used & (0x8000 >> high)) === 0) continue;
    const row = bits.read(16);
    for (let low = 0; low < 16; low++) if ((row & (0x8000 >> low)) !== 0) bytes.push(high * 16 + low);
  }
  if (bytes.length === 0) throw new DamagedData("a block has no bytes");
  return Uint8Array.from(bytes);
}

function readSelectors(bits: BitReader, groups: number): Uint8Array {
  const selectors = new Uint8Array(bits.read(15));
  if (selectors.length === 0) throw new DamagedData("a block has no data");
  const order = Array.from({ length: groups }, (_, index) => index);
  for (let i = 0; i < selectors.length; i++) {
    let place = 0;
    while (bits.read(1) === 1) {
      place += 1;
      if (place >= groups) throw new DamagedData("a block asks for a code that it does not have");
    }
    const [code = 0] = order.splice(place, 1);
    order.unshift(code);
    selectors[i] = code;
  }
  return selectors;
}

function readCode(bits: BitReader, symbolCount: number): Code {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbolCount; symbol++) {
    for (;;) {
      if (length < 1 || length > maxCodeLength) throw new DamagedData("a code is too long");
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  const shortest = Math.min(...lengths);
  const longest = Math.max(...lengths);
  const limits = new Int32Array(maxCodeLength + 2).fill(-1);
  const bases = new Int32Array(maxCodeLength + 2);
  const symbols = new Int32Array(symbolCount);
  let next = 0;
  for (let code = 0, size = shortest; size <= longest; size++) {
    bases[size] = next - code;
    for (let symbol = 0; symbol < symbolCount; symbol++) {
      if (lengths[symbol] !== size) continue;
      symbols[next++] = symbol;
      code += 1;
    }
    limits[size] = code - 1;
    if (code > 2 ** size) throw new DamagedData("a code has more symbols than fit");
    code *= 2;
  }
  return { shortest, limits, bases, symbols };
}

function readColumn(
  bits: BitReader,
  {
    column,
    alphabet,
    selectors,
    codes,
  }: { column: Uint32Array; alphabet: Uint8Array; selectors: Uint8Array; codes: readonly Code[] },
): number {
  const recent = Uint8Array.from(alphabet);
  const last = alphabet.length + 1;
  let length = 0;
  let run = 0;
  let weight = 1;
  for (const selector of selectors) {
    const { shortest, limits, bases, symbols } = codes[selector]!;
    for (let i = 0; i < groupSize; i++) {
      let size = shortest;
      let value = bits.read(size);
      while (value > limits[size]!) {
        size += 1;
        if (size > maxCodeLength) throw new DamagedData("a code is not known");
        value = (value << 1) | bits.read(1);
      }
      const symbol = symbols[value + bases[size]!]!;
      if (symbol < 2) {
        // The two lowest symbols are the digits of a run's length, to the base two without a zero.
        if (weight > column.length) throw new DamagedData("a run is longer than its block");
        run += weight << symbol;
        weight *= 2;
        continue;
      }
      if (run > 0) {
        if (length + run > column.length) throw new DamagedData("a block is longer than its stream says");
        column.fill(recent[0]!, length, length + run);
        length += run;
        run = 0;
        weight = 1;
      }
      if (symbol === last) return length;
      if (length >= column.length) throw new DamagedData("a block is longer than its stream says");
      const byte = recent[symbol - 1]!;
      recent.copyWithin(1, 0, symbol - 1);
      recent[0] = byte;
      column[length++] = byte;
    }
  }
  throw new DamagedData("a block has no end");
}
