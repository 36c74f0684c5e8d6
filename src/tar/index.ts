/**
 * Tar archives: bytes ↔ entries, and the names by which image layers say that something was deleted. Reads what GNU tar,
 * bsdtar, Go and the old programs write; writes ustar with PAX where needed, always the same bytes for the same header.
 * Touches no disk and judges no path: whoever unpacks an entry must keep it inside its root.
 */
export { archiveStartBytes, detectArchive } from "./detect-archive.ts";
export { readTar } from "./read-tar.ts";
export { encodeEntry, encodePlainFile, endOfArchive, padding } from "./encode-entry.ts";
export { opaqueName, parseWhiteout, printWhiteout, type Whiteout } from "./whiteout.ts";
export {
  defaultLimits,
  type EntryType,
  type Segment,
  type TarEntry,
  type TarHeader,
  type TarLimits,
  type TarTime,
} from "./entry.ts";
