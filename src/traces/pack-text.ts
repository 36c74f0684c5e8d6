/** Loaded when the first text is packed: cached builds do without. */
const zlib = (): typeof import("node:zlib") => process.getBuiltinModule("node:zlib");

/** A text deflated, fast rather than small. */
export function packText(text: string): Uint8Array {
  return zlib().deflateRawSync(text, { level: 1 });
}

/** Texts are no longer than this when they are unpacked: 256 MiB. */
const maxTextBytes = 256 * 1024 * 1024;

/** Undoes {@link packText}. */
export function unpackText(packed: Uint8Array): string {
  return zlib().inflateRawSync(packed, { maxOutputLength: maxTextBytes }).toString();
}
