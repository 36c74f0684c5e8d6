import { createByteReader, type ByteReader } from "./byte-reader.ts";
import { defaultLimits, type EntryType, type Segment, type TarEntry, type TarLimits } from "./entry.ts";
import { beyond, malformed, truncated } from "./failures.ts";
import { blockSize, decodeHeaderBlock, type HeaderBlock } from "./header-block.ts";
import { mergeHeader, splitPax, type Extras } from "./merge-header.ts";
import { decodePax } from "./pax.ts";
import { readOldSparse, readPaxSparse, type SparseFile } from "./sparse.ts";
import { VarveError } from "../errors/index.ts";

const types: Readonly<Record<string, EntryType>> = {
  "\0": "file",
  "0": "file",
  "7": "file", // "contiguous", which nobody tells apart
  S: "file",
  "1": "link",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

/**
 * The entries of a tar archive in order: v7, ustar, PAX, GNU and star, with sparse files in all their formats. The whole
 * source is read, also what follows the end mark, so that a digest can be taken from it on the way; ending early ends the
 * source. An archive may lack its end mark (Go's reader allows it too), but may not stop inside an entry: `TAR_TRUNCATED`.
 * Nothing is trusted: see {@link TarLimits}. A global PAX header counts, but for what is one file's own (names, sizes).
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  options: { readonly limits?: Partial<TarLimits> } = {},
): AsyncGenerator<TarEntry, void, undefined> {
  const limits: TarLimits = { ...defaultLimits, ...options.limits };
  const reader = createByteReader(source);
  try {
    const globals: Extras["globals"] = new Map();
    let extras: Extras = {
      globals,
      records: [],
      longPath: undefined,
      longLink: undefined,
      bytes: 0,
    };
    for (let entries = 0; ;) {
      const position = reader.position();
      const block = reader.takeNow(blockSize) ?? (await reader.take(blockSize));
      if (block.length > 0 && block.length < blockSize) throw truncated(reader.position());
      const header = block.length === 0 ? undefined : decodeHeaderBlock(block, position);
      if (header === undefined) {
        if (extras.bytes > 0) throw truncated(position);
        await passEnd(reader);
        return;
      }
      if ("xgLK".includes(header.typeFlag)) {
        extras = await readExtra(header, { reader, limits, extras });
        continue;
      }
      entries += 1;
      if (entries > limits.maxEntries) throw beyond("maxEntries", limits.maxEntries, "the archive");
      const { entry, body } = await openEntry(header, { reader, limits, extras });
      extras = { globals, records: [], longPath: undefined, longLink: undefined, bytes: 0 };
      yield entry;
      await body.finish();
    }
  } finally {
    await reader.end();
  }
}

/** After the first block of zeros: what follows is no entry, whatever it is. */
async function passEnd(reader: ByteReader): Promise<void> {
  const second = await reader.take(blockSize);
  if (second.some((byte) => byte !== 0)) {
    throw malformed(`a single block of zeros stands before byte ${reader.position() - second.length}, where an entry should be`);
  }
  while ((await reader.takeSome(1 << 20)) !== undefined);
}

/** An entry that only says something about the next one, or about all that follow. */
async function readExtra(
  header: HeaderBlock,
  { reader, limits, extras }: { reader: ByteReader; limits: TarLimits; extras: Extras },
): Promise<Extras> {
  const bytes = extras.bytes + blockSize + header.size;
  if (bytes > limits.maxHeaderBytes + blockSize) throw beyond("maxHeaderBytes", limits.maxHeaderBytes, "an entry's headers");
  const padded = Math.ceil(header.size / blockSize) * blockSize;
  const body = await reader.take(padded);
  if (body.length < padded) throw truncated(reader.position());
  const content = body.subarray(0, header.size);
  const untilNul = (): Buffer => {
    const end = content.indexOf(0);
    return end === -1 ? content : content.subarray(0, end);
  };
  switch (header.typeFlag) {
    case "L":
      return { ...extras, bytes, longPath: untilNul() };
    case "K":
      return { ...extras, bytes, longLink: untilNul() };
    case "x":
      return { ...extras, bytes, records: [...extras.records, ...decodePax(content)] };
    default: {
      const { common } = splitPax(decodePax(content));
      for (const [key, value] of common) extras.globals.set(key, value);
      if (extras.globals.size > maxGlobals) throw beyond("maxHeaderBytes", limits.maxHeaderBytes, "what global headers say");
      return extras;
    }
  }
}

/** Distinct keywords of global headers; each is at most as long as one header, and real archives have a handful. */
const maxGlobals = 256;

async function openEntry(
  header: HeaderBlock,
  { reader, limits, extras }: { reader: ByteReader; limits: TarLimits; extras: Extras },
): Promise<{ entry: TarEntry; body: Body }> {
  const merged = mergeHeader(header, extras);
  const known = types[header.typeFlag];
  if (known === undefined) {
    throw new VarveError(
      "TAR_UNSUPPORTED",
      `"${merged.path.toString()}" has the type ${JSON.stringify(header.typeFlag)}, which is not known`,
    );
  }
  const stored = known === "file" ? merged.size : 0;
  let sparse: SparseFile | undefined;
  if (header.typeFlag === "S") sparse = await readOldSparse({ ...header, size: stored }, reader, limits);
  else if (known === "file" && extras.records.length > 0)
    sparse = await readPaxSparse(extras.records, { stored, reader, limits });
  const path = sparse?.name ?? merged.path;
  if (path.length === 0) throw malformed("an entry has no name");
  const linkPath = known === "link" || known === "symlink" ? merged.linkPath : empty;
  for (const text of [path, linkPath]) {
    if (text.length > limits.maxPathBytes) throw beyond("maxPathBytes", limits.maxPathBytes, "a path");
    if (text.includes(0)) throw malformed("a path holds a NUL");
  }
  // Programs older than the type for folders marked one by a slash at the end.
  const type = known === "file" && path.at(-1) === 0x2f && header.typeFlag !== "S" ? "directory" : known;
  const size = sparse?.size ?? stored;
  if (size > limits.maxFileBytes) throw beyond("maxFileBytes", limits.maxFileBytes, `"${path.toString()}"`);
  const body = createBody(reader, stored - (sparse?.mapBytes ?? 0), (blockSize - (stored % blockSize)) % blockSize);
  const segments = sparse?.segments;
  const { mode, uid, gid, mtime, uname, gname, major, minor, xattrs } = merged;
  const entry: TarEntry = {
    type,
    path,
    name: path.toString(),
    linkPath,
    mode,
    uid,
    gid,
    mtime,
    size: type === "file" ? size : 0,
    device: { major, minor },
    xattrs,
    uname,
    gname,
    segments,
    body: segments === undefined ? body.chunks : fillHoles(body.chunks, segments, size),
    stored: body.chunks,
    takeStored: () => body.takeAll(),
  };
  return { entry, body };
}

const empty = Buffer.alloc(0);

interface Body {
  readonly chunks: AsyncIterable<Uint8Array>;
  takeAll(): Uint8Array | undefined;
  /** Passes over what was not read, and the padding. */
  finish(): Promise<void>;
}

function createBody(reader: ByteReader, length: number, padding: number): Body {
  let left = length;
  let finished = false;
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    if (finished) throw new TypeError("the body of an earlier tar entry is read");
    while (left > 0) {
      const piece = await reader.takeSome(left);
      if (piece === undefined) throw truncated(reader.position());
      left -= piece.length;
      yield piece;
    }
  }
  return {
    chunks: { [Symbol.asyncIterator]: read },
    takeAll() {
      if (left !== length) return undefined;
      const all = reader.takeNow(length);
      if (all !== undefined) left = 0;
      return all;
    },
    async finish() {
      finished = true;
      const rest = left + padding;
      if (rest > 0 && reader.takeNow(rest) === undefined && (await reader.skip(rest)) < rest) throw truncated(reader.position());
    },
  };
}

const zeros = Buffer.alloc(65536);

function fillHoles(stored: AsyncIterable<Uint8Array>, segments: readonly Segment[], size: number): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      let at = 0;
      function* hole(end: number): Generator<Uint8Array, void, undefined> {
        for (; at < end; at += Math.min(zeros.length, end - at)) yield zeros.subarray(0, Math.min(zeros.length, end - at));
      }
      const pending = segments.values();
      let segment = pending.next().value;
      for await (const chunk of stored) {
        for (let from = 0; from < chunk.length && segment !== undefined;) {
          yield* hole(segment.offset);
          const piece = chunk.subarray(from, from + segment.offset + segment.length - at);
          yield piece;
          at += piece.length;
          from += piece.length;
          if (at === segment.offset + segment.length) segment = pending.next().value;
        }
      }
      yield* hole(size);
    },
  };
}
