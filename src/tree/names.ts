/**
 * Names of files as strings that lose nothing. Linux names are bytes; nearly all are UTF-8. Bytes that are not become lone
 * surrogates U+DC80 to U+DCFF, one a byte (Python's `surrogateescape`, PEP 383): a string that came from the disk goes
 * back as the same bytes, compares and concatenates as usual, and matches `?` in patterns like Go's invalid rune.
 */
const escapeBase = 0xdc00;

/** Bytes of a name, path or link target as a string. The inverse of {@link encodePath}. */
export function decodeName(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  if (!text.includes("\uFFFD") || Buffer.from(text).equals(bytes)) return text;
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let out = "";
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i] ?? 0;
    const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    let piece: string;
    try {
      piece = decoder.decode(bytes.subarray(i, i + length));
      i += length;
    } catch {
      piece = String.fromCharCode(escapeBase + lead);
      i += 1;
    }
    out += piece;
  }
  return out;
}

/** What node:fs takes for such a string: the string itself when it is UTF-8, else its bytes. */
export function encodePath(path: string): string | Buffer {
  if (path.isWellFormed()) return path;
  const parts: Buffer[] = [];
  let start = 0;
  for (let i = 0; i < path.length; i++) {
    const unit = path.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff && isLow(path.charCodeAt(i + 1))) {
      i += 1;
      continue;
    }
    if (unit < escapeBase + 0x80 || unit > escapeBase + 0xff) continue;
    parts.push(Buffer.from(path.slice(start, i)), Buffer.from([unit - escapeBase]));
    start = i + 1;
  }
  parts.push(Buffer.from(path.slice(start)));
  return Buffer.concat(parts);
}

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** Sorts in place by the names' bytes, as Go's directory readers do, and returns the same array. */
export function sortNames(names: string[]): string[] {
  names.sort();
  // UTF-16 order and byte order part ways only where surrogates are compared with U+E000 and above.
  if (names.some((name) => /[\ud800-\uffff]/.test(name)))
    names.sort((a, b) => Buffer.compare(Buffer.from(encodePath(a)), Buffer.from(encodePath(b))));
  return names;
}
