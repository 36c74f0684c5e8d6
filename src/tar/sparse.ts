import type { Segment, TarLimits } from "./entry.ts";
import type { ByteReader } from "./byte-reader.ts";
import { beyond, malformed, truncated } from "./failures.ts";
import { blockSize, readCount, type HeaderBlock } from "./header-block.ts";
import { paxCount, type PaxRecord } from "./pax.ts";

/** What the formats of GNU tar's manual ("Storing Sparse Files") say about a file with holes. */
export interface SparseFile {
  readonly segments: readonly Segment[];
  /** Length with its holes. */
  readonly size: number;
  /** Bytes of the body that the map itself took. */
  readonly mapBytes: number;
  /** The file's real name, where the header's is made up. */
  readonly name: Buffer | undefined;
}

/** GNU's own format, type `S`: four segments in the header, further ones in blocks between it and the body. */
export async function readOldSparse(header: HeaderBlock, reader: ByteReader, limits: TarLimits): Promise<SparseFile> {
  const segments = segmentsIn(header.block, 386, 4);
  let more = header.block[482] !== 0;
  for (let bytes = 0; more; bytes += blockSize) {
    if (bytes > limits.maxHeaderBytes) throw beyond("maxHeaderBytes", limits.maxHeaderBytes, "a sparse file's map");
    const block = await reader.take(blockSize);
    if (block.length < blockSize) throw truncated(reader.position());
    segments.push(...segmentsIn(block, 0, 21));
    more = block[504] !== 0;
  }
  const size = readCount(header.block, 483, 12, "realsize");
  return {
    segments: checkSegments(segments, size, header.size),
    size,
    mapBytes: 0,
    name: undefined,
  };
}

function segmentsIn(block: Buffer, start: number, count: number): Segment[] {
  const segments: Segment[] = [];
  for (let at = start; at < start + count * 24; at += 24) {
    if (block[at] === 0 || block[at + 12] === 0) break;
    segments.push({
      offset: readCount(block, at, 12, "offset"),
      length: readCount(block, at + 12, 12, "numbytes"),
    });
  }
  return segments;
}

/** The PAX formats 0.0, 0.1 and 1.0; undefined when the records speak of none. `stored` is the body's length. */
export async function readPaxSparse(
  records: readonly PaxRecord[],
  { stored, reader, limits }: { stored: number; reader: ByteReader; limits: TarLimits },
): Promise<SparseFile | undefined> {
  const last = new Map(records.filter(([key]) => key.startsWith("GNU.sparse.")));
  if (last.size === 0) return undefined;
  const name = last.get("GNU.sparse.name");
  const major = last.get("GNU.sparse.major")?.toString();
  const minor = last.get("GNU.sparse.minor")?.toString();
  if (major === "1" && minor === "0") {
    const size = paxCount("GNU.sparse.realsize", last.get("GNU.sparse.realsize") ?? "");
    const { numbers, mapBytes } = await readMap(stored, reader, limits);
    return {
      segments: checkSegments(pairs(numbers), size, stored - mapBytes),
      size,
      mapBytes,
      name,
    };
  }
  if (major !== undefined && major !== "0") throw malformed(`the sparse file format ${major}.${minor ?? ""} is not known`);
  const size = last.get("GNU.sparse.size");
  if (size === undefined) throw malformed("a sparse file does not say how long it is");
  const map = last.get("GNU.sparse.map");
  const numbers =
    map === undefined
      ? records
          .filter(([key]) => key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes")
          .map(([key, value]) => paxCount(key, value))
      : map.length === 0
        ? []
        : map
            .toString()
            .split(",")
            .map((number) => paxCount("GNU.sparse.map", number));
  const length = paxCount("GNU.sparse.size", size);
  return {
    segments: checkSegments(pairs(numbers), length, stored),
    size: length,
    mapBytes: 0,
    name,
  };
}

/** Format 1.0: decimal numbers, one a line, at the start of the body: how many segments, then each one's offset and length. */
async function readMap(stored: number, reader: ByteReader, limits: TarLimits): Promise<{ numbers: number[]; mapBytes: number }> {
  const numbers: number[] = [];
  let partial = "";
  for (let mapBytes = blockSize; ; mapBytes += blockSize) {
    if (mapBytes > limits.maxHeaderBytes) throw beyond("maxHeaderBytes", limits.maxHeaderBytes, "a sparse file's map");
    if (mapBytes > stored) throw malformed("a sparse file's map is longer than its body");
    const block = await reader.take(blockSize);
    if (block.length < blockSize) throw truncated(reader.position());
    const lines = (partial + block.toString("latin1")).split("\n");
    partial = lines.pop() ?? "";
    for (const line of lines) {
      if (numbers.length > 0 && numbers.length > 2 * (numbers[0] ?? 0)) break; // the padding of the last block
      numbers.push(paxCount("sparse map", line));
    }
    if (numbers.length > 0 && numbers.length > 2 * (numbers[0] ?? 0)) return { numbers: numbers.slice(1), mapBytes };
  }
}

function pairs(numbers: readonly number[]): Segment[] {
  if (numbers.length % 2 !== 0) throw malformed("a sparse file's map has an offset without a length");
  return Array.from({ length: numbers.length / 2 }, (_, i) => ({
    offset: numbers[2 * i] ?? 0,
    length: numbers[2 * i + 1] ?? 0,
  }));
}

function checkSegments(segments: readonly Segment[], size: number, stored: number): readonly Segment[] {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of segments) {
    if (offset < end || offset + length > size) throw malformed("a sparse file's map does not fit its length");
    end = offset + length;
    sum += length;
  }
  if (sum !== stored) throw malformed("a sparse file's map does not fit its stored bytes");
  return segments.filter(({ length }) => length > 0);
}
