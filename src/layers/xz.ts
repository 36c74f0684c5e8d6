import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { VarveError } from "../errors/index.ts";
import { DamagedData } from "./damaged-data.ts";
import { createByteWindow, type ByteWindow } from "./byte-window.ts";
import { checkOf, type Check } from "./xz-checks.ts";
import { createLzma2Decoder, type Lzma2Decoder } from "./lzma2.ts";

/** What an archive may ask to be kept in memory. Default of `xz -9` is 64 MiB. */
const maxDictionaryBytes = 256 * 1024 * 1024;

/**
 * Undoes xz (the .xz file format, 1.2.1), also several streams with padding between them. Sizes, the index and every check
 * are compared. Filters other than LZMA2 (those for machine code, delta) are LAYER_COMPRESSION_UNSUPPORTED; a dictionary
 * above the limit `maxDictionaryBytes` (256 MiB) is LAYER_COMPRESSION_LIMIT; everything that is not xz {@link DamagedData}.
 */
export async function* decodeXz(source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const window = createByteWindow(source);
  for (let first = true; ; first = false) {
    if (!first && !(await passPadding(window))) return;
    const header = await take(window, 12);
    if (!sameBytes(header.subarray(0, 6), magic))
      throw new DamagedData(first ? "it has no header" : "what follows a stream is none");
    const flags = header.subarray(6, 8);
    if (crc32(flags) !== readUint32(header, 8)) throw new DamagedData("the checksum of its header is wrong");
    if (flags[0] !== 0 || flags[1]! > 15) throw unsupported("a newer form of xz");
    const records = createHash("sha256");
    let blocks = 0;
    for (;;) {
      const [size = 0] = await window.fill(1);
      if (size === 0) break;
      const record = yield* decodeXzBlock(window, flags[1]!);
      records.update(`${record.unpadded}:${record.unpacked};`);
      blocks += 1;
    }
    const indexBytes = await checkIndex(window, { blocks, records: records.digest("hex") });
    const footer = await take(window, 12);
    const right =
      crc32(footer.subarray(4, 10)) === readUint32(footer, 0) &&
      (readUint32(footer, 4) + 1) * 4 === indexBytes &&
      sameBytes(footer.subarray(8, 10), flags) &&
      sameBytes(footer.subarray(10), footerMagic);
    if (!right) throw new DamagedData("its end is not what its beginning and its index say");
  }
}

const magic = Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00);
const footerMagic = Uint8Array.of(0x59, 0x5a);

/** Zeros between streams, four at a time; whether another stream follows. */
async function passPadding(window: ByteWindow): Promise<boolean> {
  for (;;) {
    const bytes = await window.fill(4);
    if (bytes.length === 0) return false;
    if (bytes[0] !== 0) return true;
    if (bytes.length < 4 || bytes.subarray(0, 4).some((byte) => byte !== 0))
      throw new DamagedData("what follows a stream is none");
    window.drop(4);
  }
}

interface BlockRecord {
  /** Bytes of the block without its padding. */
  readonly unpadded: number;
  readonly unpacked: number;
}

async function* decodeXzBlock(window: ByteWindow, checkId: number): AsyncGenerator<Uint8Array, BlockRecord, undefined> {
  const [sizeByte = 0] = await window.fill(1);
  const header = await take(window, (sizeByte + 1) * 4);
  const { dictionaryBytes, packed, unpacked } = readBlockHeader(header);
  const check = checkOf(checkId);
  if (check === undefined) throw unsupported(`a check of the kind ${checkId}`);
  const decoder = createLzma2Decoder(dictionaryBytes);
  const counted = { packed: 0, unpacked: 0 };
  yield* decodeChunks(window, decoder, { counted, check });
  if ((packed !== undefined && packed !== counted.packed) || (unpacked !== undefined && unpacked !== counted.unpacked)) {
    throw new DamagedData("a block has not the size that it says");
  }
  const padding = await take(window, -counted.packed & 3);
  if (padding.some((byte) => byte !== 0)) throw new DamagedData("its padding is not zeros");
  const stored = await take(window, check.size);
  if (!sameBytes(stored, check.finish())) throw new DamagedData("the checksum of a block is wrong");
  return { unpadded: header.length + counted.packed + check.size, unpacked: counted.unpacked };
}

async function* decodeChunks(
  window: ByteWindow,
  decoder: Lzma2Decoder,
  { counted, check }: { counted: { packed: number; unpacked: number }; check: Check },
): AsyncGenerator<Uint8Array, void, undefined> {
  let needs: "dictionary" | "properties" | "state" | "nothing" = "dictionary";
  const order = ["nothing", "state", "properties", "dictionary"] as const;
  for (;;) {
    const [control = 0] = await take(window, 1);
    counted.packed += 1;
    if (control === 0) return;
    let out: Uint8Array;
    if (control < 0x80) {
      if (control > 2) throw new DamagedData("a chunk is of no known kind");
      const header = await take(window, 2);
      const size = ((header[0]! << 8) | header[1]!) + 1;
      if (control === 2 && needs === "dictionary") throw new DamagedData("it does not begin with a fresh dictionary");
      if (needs === "dictionary") needs = "properties";
      out = decoder.store(await take(window, size), control === 1 ? "dictionary" : "nothing");
      counted.packed += 2 + size;
    } else {
      const reset = order[(control >> 5) & 3]!;
      if (order.indexOf(reset) < order.indexOf(needs)) throw new DamagedData("a chunk goes on with what was never begun");
      needs = "nothing";
      const hasProperties = control >= 0xc0;
      const header = await take(window, hasProperties ? 5 : 4);
      const unpacked = (((control & 0x1f) << 16) | (header[0]! << 8) | header[1]!) + 1;
      const packed = ((header[2]! << 8) | header[3]!) + 1;
      out = decoder.decode(await take(window, packed), unpacked, reset, header[4] ?? 0);
      counted.packed += header.length + packed;
    }
    counted.unpacked += out.length;
    check.update(out);
    // A copy: the decoder goes on writing where these bytes are.
    yield out.slice();
  }
}

function readBlockHeader(header: Uint8Array): {
  dictionaryBytes: number;
  packed: number | undefined;
  unpacked: number | undefined;
} {
  const body = header.subarray(0, -4);
  if (crc32(body) !== readUint32(header, body.length)) throw new DamagedData("the checksum of a block's header is wrong");
  const flags = body[1]!;
  if ((flags & 0x3c) !== 0) throw unsupported("a newer form of xz");
  const read = createNumberReader(body, 2);
  const packed = (flags & 0x40) === 0 ? undefined : read.number();
  const unpacked = (flags & 0x80) === 0 ? undefined : read.number();
  if ((flags & 3) !== 0) throw unsupported("a filter beside LZMA2");
  if (read.number() !== 0x21) throw unsupported("a filter other than LZMA2");
  if (read.number() !== 1) throw new DamagedData("the properties of its filter are impossible");
  const size = read.number();
  if (size > 40) throw new DamagedData("the size of its dictionary is impossible");
  const dictionaryBytes = (2 | (size & 1)) * 2 ** (Math.floor(size / 2) + 11);
  const needed = Math.min(dictionaryBytes, unpacked === undefined ? Infinity : Math.max(unpacked, 4096));
  if (needed > maxDictionaryBytes) {
    throw new VarveError(
      "LAYER_COMPRESSION_LIMIT",
      `the xz data wants ${dictionaryBytes} bytes of memory, more than the limit maxDictionaryBytes of ${maxDictionaryBytes}`,
      {
        hint: "compress it with a smaller dictionary, such as that of xz -9",
        details: { limit: "maxDictionaryBytes", value: maxDictionaryBytes },
      },
    );
  }
  return { dictionaryBytes: needed, packed, unpacked };
}

/** The list of the blocks, compared with those that were read; its length in bytes. */
async function checkIndex(window: ByteWindow, { blocks, records }: { blocks: number; records: string }): Promise<number> {
  let bytes = 0;
  let check = 0;
  const next = async (): Promise<number> => {
    const taken = await take(window, 1);
    bytes += 1;
    check = crc32(taken, check);
    return taken[0]!;
  };
  const number = async (): Promise<number> => {
    let value = 0;
    for (let factor = 1, count = 0; count < 9; factor *= 128, count++) {
      const byte = await next();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new DamagedData("a number of its index is too long");
  };
  const wrong = (): DamagedData => new DamagedData("its index does not name its blocks");
  await next();
  if ((await number()) !== blocks) throw wrong();
  const hash = createHash("sha256");
  for (let i = 0; i < blocks; i++) hash.update(`${await number()}:${await number()};`);
  while ((bytes & 3) !== 0) if ((await next()) !== 0) throw wrong();
  if (hash.digest("hex") !== records || readUint32(await take(window, 4), 0) !== check) throw wrong();
  return bytes + 4;
}

function createNumberReader(bytes: Uint8Array, start: number): { number(): number } {
  let at = start;
  return {
    number() {
      let value = 0;
      for (let factor = 1, count = 0; count < 9; factor *= 128, count++) {
        const byte = bytes[at++];
        if (byte === undefined) break;
        value += (byte & 0x7f) * factor;
        if (byte < 0x80) return value;
      }
      throw new DamagedData("a number of a block's header is too long");
    },
  };
}

async function take(window: ByteWindow, count: number): Promise<Uint8Array> {
  const taken = await window.take(count);
  if (taken.length < count) throw new DamagedData("it ends too early");
  return taken;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function unsupported(what: string): VarveError {
  return new VarveError("LAYER_COMPRESSION_UNSUPPORTED", `the xz data uses ${what}, which is not read`, {
    hint: "compress it with plain xz, gzip or zstd",
  });
}
