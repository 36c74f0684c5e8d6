import { gzipSync, zstdCompressSync } from "node:zlib";
import { encodeEntry, endOfArchive, padding, type TarHeader } from "../../src/tar/index.ts";

/** An entry of an archive to be made: a header whose body is text or bytes. */
export interface ArchiveEntry extends Omit<TarHeader, "size"> {
  readonly body?: Uint8Array;
}

/** A tar archive, compressed as the end of the name says: `.gz`, `.tgz`, `.zst`. */
export function packArchive(name: string, entries: readonly ArchiveEntry[]): Uint8Array {
  const bytes = Buffer.concat([
    ...entries.flatMap(({ body = new Uint8Array(), ...header }) => [
      encodeEntry({ ...header, ...(header.type === "file" ? { size: body.length } : {}) }),
      body,
      padding(body.length),
    ]),
    endOfArchive,
  ]);
  if (name.endsWith("gz")) return gzipSync(bytes);
  if (name.endsWith("zst")) return zstdCompressSync(bytes);
  return bytes;
}

/**
 * Reads an entry as a case file says it, in JSON: `{"path": "a", "mode": "0644", "uid": 0, "gid": 0, "text": "hello"}`; a
 * path that ends in a slash is a folder, `symlink` and `link` name targets, `device` is `[major, minor]` of a character device.
 */
export function parseEntry(line: string): ArchiveEntry {
  const {
    path = "",
    mode,
    uid = 0,
    gid = 0,
    text = "",
    symlink,
    link,
    fifo,
    device,
    time = 1_000_000_000,
    xattrs,
  } = JSON.parse(line) as {
    path?: string;
    mode?: string;
    uid?: number;
    gid?: number;
    text?: string;
    symlink?: string;
    link?: string;
    fifo?: boolean;
    device?: [number, number];
    time?: number;
    xattrs?: Record<string, string>;
  };
  const folder = path.endsWith("/");
  const common = {
    path,
    uid,
    gid,
    mode: Number.parseInt(mode ?? (folder ? "0755" : "0644"), 8),
    mtime: { sec: BigInt(time), nsec: 0 },
  };
  const marks = xattrs ? { xattrs: Object.entries(xattrs).map(([key, value]) => [key, Buffer.from(value)] as const) } : {};
  if (symlink !== undefined) return { ...common, type: "symlink", linkPath: symlink };
  if (link !== undefined) return { ...common, type: "link", linkPath: link };
  if (fifo === true) return { ...common, type: "fifo" };
  if (device) return { ...common, type: "character", device: { major: device[0], minor: device[1] } };
  if (folder) return { ...common, ...marks, type: "directory" };
  return { ...common, ...marks, type: "file", body: Buffer.from(text) };
}
