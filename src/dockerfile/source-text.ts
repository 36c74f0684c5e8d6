/** A Dockerfile as text. `bom` and the private surrogates of {@link decodeSource} make the way back lossless. */
export interface SourceText {
  /** Without byte order mark. */
  readonly text: string;
  readonly bom: boolean;
  /** True when some bytes were not UTF-8 and stand in `text` as U+DC80 … U+DCFF. */
  readonly broken: boolean;
}

const mark = "\ufeff";
const sequence =
  // oxlint-disable-next-line no-control-regex -- the byte patterns of well-formed UTF-8 (Unicode 16, table 3-7)
  /[\x00-\x7f]+|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g;

/**
 * Reads a source as UTF-8 and takes off the byte order mark (P01). Bytes that are not UTF-8 become lone surrogates
 * (U+DC00 + byte), so that {@link encodeSource} can give them back: old files have Latin-1 names in their comments.
 */
export function decodeSource(source: string | Uint8Array): SourceText {
  if (typeof source === "string") {
    const bom = source.startsWith(mark);
    return { text: bom ? source.slice(1) : source, bom, broken: false };
  }
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const body = bom ? bytes.subarray(3) : bytes;
  const text = body.toString("utf8");
  if (!text.includes("\ufffd") || Buffer.from(text, "utf8").equals(body)) return { text, bom, broken: false };
  const kept = body
    .toString("latin1")
    .replace(sequence, (run) =>
      run.length === 1 && run >= "\x80"
        ? String.fromCharCode(0xdc00 + run.charCodeAt(0))
        : Buffer.from(run, "latin1").toString("utf8"),
    );
  return { text: kept, bom, broken: true };
}

/** The bytes of a text from {@link decodeSource}. */
export function encodeSource(text: string, bom: boolean): Uint8Array {
  const parts = text.split(/([\udc80-\udcff]+)/u);
  const buffers = parts.map((part, index) =>
    index % 2 === 0 ? Buffer.from(part, "utf8") : Buffer.from(Array.from(part, (unit) => unit.charCodeAt(0) - 0xdc00)),
  );
  return Buffer.concat(bom ? [Buffer.from(mark, "utf8"), ...buffers] : buffers);
}
