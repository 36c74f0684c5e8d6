/** What an entry is. GNU's and PAX's sparse files are `file`; the types that only carry facts about others never appear. */
export type EntryType = "file" | "directory" | "symlink" | "link" | "character" | "block" | "fifo";

/** Whole seconds since 1970 (negative before) and nanoseconds 0 to 999,999,999 after them. */
export interface TarTime {
  readonly sec: bigint;
  readonly nsec: number;
}

/** A run of stored bytes of a sparse file, at its place in the file. What lies between runs is zeros. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

interface Described {
  readonly type: EntryType;
  /** The twelve permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: TarTime;
}

/** What {@link encodeEntry} writes. */
export interface TarHeader extends Described {
  /** Bytes, or text to be written as UTF-8. A folder's final slash is added. */
  readonly path: string | Uint8Array;
  /** Target of a `symlink`; path of the earlier entry that a `link` shares its file with. */
  readonly linkPath?: string | Uint8Array;
  /** Length of the body that follows, of `file` only. */
  readonly size?: number;
  readonly device?: { readonly major: number; readonly minor: number };
  readonly xattrs?: Iterable<readonly [name: string, value: Uint8Array]>;
  readonly uname?: string;
  readonly gname?: string;
}

/** An entry of an archive as {@link readTar} found it. Nothing is cleaned: paths may be absolute or climb. */
export interface TarEntry extends Described {
  /** Bytes as they stand in the archive, at least one, without NUL. */
  readonly path: Buffer;
  /** `path` read as UTF-8, for messages. */
  readonly name: string;
  /** Empty unless `link` or `symlink`. */
  readonly linkPath: Buffer;
  /** Length of the file, holes included; 0 for everything but `file`. */
  readonly size: number;
  readonly device: { readonly major: number; readonly minor: number };
  readonly xattrs: ReadonlyMap<string, Buffer>;
  readonly uname: string;
  readonly gname: string;
  /** Set for sparse files: where the stored bytes belong, in order. */
  readonly segments: readonly Segment[] | undefined;
  /** The file's bytes, holes filled with zeros. Chunks may be slices of the source's. Read before the next entry; once. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Only the stored bytes: those of `segments` in a row, else the same as `body`. Either this or `body`. */
  readonly stored: AsyncIterable<Uint8Array>;
  /** All stored bytes at once if they have already arrived in one piece; then they count as read. Saves waiting for small files. */
  takeStored(): Uint8Array | undefined;
}

/** Bounds for archives from elsewhere. Beyond one: `TAR_LIMIT`, whose `details.limit` names it. */
export interface TarLimits {
  /** Default 8,000,000. */
  readonly maxEntries: number;
  /** All that describes one entry: its PAX records, long names, sparse map. Default 1 MiB, as in Go's reader. */
  readonly maxHeaderBytes: number;
  /** Of a path or link target. Default 4096 (PATH_MAX). */
  readonly maxPathBytes: number;
  /** Length that a file may claim, holes included. Default 8 TiB. */
  readonly maxFileBytes: number;
}

export const defaultLimits: TarLimits = {
  maxEntries: 8_000_000,
  maxHeaderBytes: 1 << 20,
  maxPathBytes: 4096,
  maxFileBytes: 2 ** 43,
};
