/** What kind of archive begins with these bytes; undefined for none. A tar has no magic number: its first header's checksum tells. */
export function detectArchive(start: Uint8Array): "tar" | "gzip" | "zstd" | "bzip2" | "xz" | undefined {
  const begins = (...magic: number[]): boolean => magic.every((byte, index) => start[index] === byte);
  if (begins(0x1f, 0x8b, 0x08)) return "gzip";
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return "zstd";
  if (begins(0x42, 0x5a, 0x68)) return "bzip2";
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return "xz";
  return hasTarHeader(start) ? "tar" : undefined;
}

/** Enough bytes for {@link detectArchive}: two tar blocks, as buildx looks at. */
export const archiveStartBytes = 1024;

const tarBlock = 512;
const checksumStart = 148;
const checksumEnd = 156;

/** POSIX.1-2024, pax, "ustar Interchange Format": the sum of the header's bytes, its own field counted as blanks. Two zero blocks are an empty archive. */
function hasTarHeader(start: Uint8Array): boolean {
  if (start.length < tarBlock) return false;
  if (start.length >= 2 * tarBlock && start.subarray(0, 2 * tarBlock).every((byte) => byte === 0)) return true;
  const field = Buffer.from(start.subarray(checksumStart, checksumEnd)).toString("latin1");
  const sum = /^[ ]*([0-7]+)[ \0]*$/.exec(field)?.[1];
  if (sum === undefined) return false;
  let total = 0;
  for (let index = 0; index < tarBlock; index++)
    total += index >= checksumStart && index < checksumEnd ? 0x20 : (start[index] ?? 0);
  return total === Number.parseInt(sum, 8);
}
