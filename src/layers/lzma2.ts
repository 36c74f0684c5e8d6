import { DamagedData } from "./damaged-data.ts";

/** Decodes LZMA2's chunks. Keeps a dictionary from one to the next. */
export interface Lzma2Decoder {
  /** What one LZMA chunk unpacks to; good until the next call. `reset` says what is forgotten before it. */
  decode(
    packed: Uint8Array,
    unpackedBytes: number,
    reset: "nothing" | "state" | "properties" | "dictionary",
    properties: number,
  ): Uint8Array;
  /** A chunk that is stored as it is. */
  store(bytes: Uint8Array, reset: "nothing" | "dictionary"): Uint8Array;
}

const bitBits = 11;
const half = 1 << (bitBits - 1);
const moveBits = 5;
const sign = 0x8000_0000 | 0;

/**
 * LZMA as LZMA2 uses it (xz-embedded's description and 7-zip's lzma-specification.txt): a range coder whose bits each have
 * a model, literals, and matches with what the last `dictionaryBytes` held. Everything is checked: a distance beyond what
 * was written, a chunk that does not end where it says: {@link DamagedData}.
 */
export function createLzma2Decoder(dictionaryBytes: number): Lzma2Decoder {
  // One chunk is at most 2 MiB: it is written behind what it may refer to, and the window moves on when it is full.
  const window = new Uint8Array(dictionaryBytes + maxChunkBytes);
  let end = 0;
  let known = 0;

  const models = createModels();
  let literalContext = 0;
  let literalPosition = 0;
  let positionMask = 0;
  let state = 0;
  let [rep0, rep1, rep2, rep3] = [0, 0, 0, 0];

  // The range coder. Both numbers are of 32 bits without a sign, kept as integers with one, which is what is fast.
  let range = 0;
  let code = 0;
  let input: Uint8Array = new Uint8Array(0);
  let at = 0;

  const normalize = (): void => {
    if ((range ^ sign) < (0x0100_0000 ^ sign)) {
      if (at >= input.length) throw new DamagedData("a chunk ends too early");
      range <<= 8;
      code = (code << 8) | input[at++]!;
    }
  };
  const decodeBit = (model: Uint16Array, index: number): number => {
    normalize();
    const probability = model[index]!;
    const bound = Math.imul(range >>> bitBits, probability);
    if ((code ^ sign) < (bound ^ sign)) {
      range = bound;
      model[index] = probability + (((1 << bitBits) - probability) >> moveBits);
      return 0;
    }
    range = (range - bound) | 0;
    code = (code - bound) | 0;
    model[index] = probability - (probability >> moveBits);
    return 1;
  };
  const decodeTree = (model: Uint16Array, start: number, bits: number): number => {
    let symbol = 1;
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | decodeBit(model, start + symbol);
    return symbol - (1 << bits);
  };
  const decodeReverse = (model: Uint16Array, start: number, bits: number): number => {
    let symbol = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = decodeBit(model, start + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << i;
    }
    return value;
  };
  const decodeDirect = (bits: number): number => {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      normalize();
      range >>>= 1;
      code = (code - range) | 0;
      const below = code >> 31;
      code = (code + (range & below)) | 0;
      value = (value << 1) + below + 1;
    }
    return value;
  };

  const decodeLiteral = (): void => {
    const { literal } = models;
    const before = known === 0 ? 0 : window[end - 1]!;
    const context = ((end & ((1 << literalPosition) - 1)) << literalContext) + (before >> (8 - literalContext));
    const start = context * 0x300;
    let symbol = 1;
    if (state >= 7) {
      let match = window[end - rep0 - 1]!;
      do {
        const matchBit = (match >> 7) & 1;
        match <<= 1;
        const bit = decodeBit(literal, start + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) break;
      } while (symbol < 0x100);
    }
    while (symbol < 0x100) symbol = (symbol << 1) | decodeBit(literal, start + symbol);
    window[end++] = symbol;
    known += 1;
    state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
  };

  const decodeLength = (model: LengthModel, positionState: number): number => {
    if (decodeBit(model.choice, 0) === 0) return 2 + decodeTree(model.low, positionState << 3, 3);
    if (decodeBit(model.choice, 1) === 0) return 10 + decodeTree(model.mid, positionState << 3, 3);
    return 18 + decodeTree(model.high, 0, 8);
  };

  const decodeDistance = (length: number): number => {
    const slot = decodeTree(models.slot, Math.min(length - 2, 3) << 6, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) << bits;
    if (slot < 14) return base + decodeReverse(models.special, base - slot, bits);
    return (base + (decodeDirect(bits - 4) << 4) + decodeReverse(models.align, 0, 4)) >>> 0;
  };

  /** Decodes a match: its length, with the distance in `rep0`. 1 for the short repetition of one byte. */
  const decodeMatch = (positionState: number): number => {
    const index = (state << 4) + positionState;
    if (decodeBit(models.isRep, state) === 0) {
      rep3 = rep2;
      rep2 = rep1;
      rep1 = rep0;
      const length = decodeLength(models.matchLength, positionState);
      state = state < 7 ? 7 : 10;
      rep0 = decodeDistance(length);
      return length;
    }
    if (decodeBit(models.isRep0, state) === 0) {
      if (decodeBit(models.isRep0Long, index) === 0) {
        state = state < 7 ? 9 : 11;
        return 1;
      }
    } else {
      let distance = rep1;
      if (decodeBit(models.isRep1, state) === 1) {
        distance = rep2;
        if (decodeBit(models.isRep2, state) === 1) {
          distance = rep3;
          rep3 = rep2;
        }
        rep2 = rep1;
      }
      rep1 = rep0;
      rep0 = distance;
    }
    const length = decodeLength(models.repLength, positionState);
    state = state < 7 ? 8 : 11;
    return length;
  };

  const copyMatch = (length: number): void => {
    if (rep0 >= known || rep0 >= dictionaryBytes) throw new DamagedData("it repeats what it has not said");
    const from = end - rep0 - 1;
    if (rep0 + 1 >= length) window.copyWithin(end, from, from + length);
    else for (let i = 0; i < length; i++) window[end + i] = window[from + i]!;
    end += length;
    known += length;
  };

  /** Makes room for a chunk; what lies further back than the dictionary is forgotten. */
  const makeRoom = (bytes: number): void => {
    if (end + bytes <= window.length) return;
    // Positions count in the models: the window moves by a multiple of the widest of them.
    const from = Math.floor((end - dictionaryBytes) / 16) * 16;
    window.copyWithin(0, from, end);
    end -= from;
  };
  const forgetState = (): void => {
    resetModels(models);
    state = 0;
    rep0 = rep1 = rep2 = rep3 = 0;
  };
  const forgetDictionary = (): void => {
    end = 0;
    known = 0;
  };

  return {
    decode(packed, unpackedBytes, reset, properties) {
      if (reset === "dictionary") forgetDictionary();
      if (reset === "dictionary" || reset === "properties") {
        if (properties > (4 * 5 + 4) * 9 + 8) throw new DamagedData("its properties are impossible");
        literalContext = properties % 9;
        const rest = Math.floor(properties / 9);
        literalPosition = rest % 5;
        positionMask = (1 << Math.floor(rest / 5)) - 1;
        if (literalContext + literalPosition > 4) throw new DamagedData("its properties are impossible");
      }
      if (reset !== "nothing") forgetState();
      makeRoom(unpackedBytes);
      if (packed.length < 5 || packed[0] !== 0) throw new DamagedData("a chunk begins wrongly");
      input = packed;
      at = 5;
      range = -1;
      code = (packed[1]! << 24) | (packed[2]! << 16) | (packed[3]! << 8) | packed[4]!;
      const start = end;
      const stop = end + unpackedBytes;
      while (end < stop) {
        const positionState = end & positionMask;
        if (decodeBit(models.isMatch, (state << 4) + positionState) === 0) {
          decodeLiteral();
          continue;
        }
        const length = decodeMatch(positionState);
        if (end + length > stop) throw new DamagedData("a match goes beyond its chunk");
        copyMatch(length);
      }
      normalize();
      if (at !== packed.length || code !== 0) throw new DamagedData("a chunk does not end where it says");
      return window.subarray(start, end);
    },
    store(bytes, reset) {
      if (reset === "dictionary") forgetDictionary();
      makeRoom(bytes.length);
      window.set(bytes, end);
      end += bytes.length;
      known += bytes.length;
      return window.subarray(end - bytes.length, end);
    },
  };
}

/** Bytes that one chunk unpacks to, at most. */
const maxChunkBytes = 1 << 21;

interface LengthModel {
  readonly choice: Uint16Array;
  readonly low: Uint16Array;
  readonly mid: Uint16Array;
  readonly high: Uint16Array;
}

function createModels() {
  const lengthModel = (): LengthModel => ({
    choice: new Uint16Array(2),
    low: new Uint16Array(16 << 3),
    mid: new Uint16Array(16 << 3),
    high: new Uint16Array(256),
  });
  return {
    isMatch: new Uint16Array(12 << 4),
    isRep: new Uint16Array(12),
    isRep0: new Uint16Array(12),
    isRep1: new Uint16Array(12),
    isRep2: new Uint16Array(12),
    isRep0Long: new Uint16Array(12 << 4),
    slot: new Uint16Array(4 << 6),
    special: new Uint16Array(128),
    align: new Uint16Array(16),
    literal: new Uint16Array(0x300 << 4),
    matchLength: lengthModel(),
    repLength: lengthModel(),
  };
}

function resetModels(models: ReturnType<typeof createModels>): void {
  const { matchLength, repLength, ...flat } = models;
  for (const model of [...Object.values(flat), ...Object.values(matchLength), ...Object.values(repLength)]) model.fill(half);
}
