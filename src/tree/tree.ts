/** What lstat(2) tells of something in a tree. */
export interface TreeEntry {
  /** Absolute in the tree, clean, no links in its folders; `/` for the root. Bytes that are not UTF-8: see `names.ts`. */
  readonly path: string;
  readonly type: EntryType;
  /** Permissions and set-id and sticky bits, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of data; 0 for everything but files and links. */
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** File system and inode: equal for the names of one hard-linked file. */
  readonly dev: bigint;
  readonly ino: bigint;
  readonly nlink: number;
  /** What a device node stands for; 0:0 for everything else. */
  readonly device: { readonly major: number; readonly minor: number };
}

export type EntryType = "file" | "directory" | "symlink" | "fifo" | "socket" | "character-device" | "block-device";

/**
 * Files to copy from: a build context, a stage, a mounted image. Synchronous, because a mount may be visible to the main
 * thread alone. Paths are absolute with the tree's root as `/`; no link leads out of it. Errors are VarveErrors.
 */
export interface Tree {
  /** Expands links inside the tree; what is missing or hidden stays as written. Too many links: TREE_LOOP. */
  resolve(path: string, options: { readonly followLast: boolean }): string;
  /** What is at a resolved path; undefined when nothing is, or a pattern hides it. */
  entry(path: string): TreeEntry | undefined;
  /** Entries of a folder, sorted by the bytes of their names. */
  children(path: string): TreeEntry[];
  /** What {@link children} gives, with what is remembered of it. */
  list(path: string): FolderListing;
  /** What is shown of a folder as it was last listed, where all contents in it are known since. Lists nothing anew. */
  seen(path: string): SeenFolder | undefined;
  /** To be called when a digest is done: what was found out goes to the cache. */
  settle(): void;
  /** The target of a link, as it is written there. */
  readLink(entry: TreeEntry): string;
  /** The extended attributes that a copy keeps, sorted by name. */
  xattrs(entry: TreeEntry): readonly (readonly [name: string, value: Buffer])[];
  /** Opens a file for reading; the caller closes it. It is the file of `entry`, or the error is TREE_CHANGED. */
  openFile(entry: TreeEntry): number;
  /** Where a file lies, for calls of `sys` that copy it: good until the next call. Undefined for what only its path finds. */
  whereIs(entry: TreeEntry): FilePlace | undefined;
  /**
   * A digest over what lstat does not tell: data, link target, attributes. Equal texts mean equal contents.
   * For a file without attributes it is the SHA-256 of its data in hex.
   */
  contentOf(entry: TreeEntry): string;
  /** Tells {@link contentOf} the SHA-256 in hex of a file's data, as found since the entry was made. */
  learnData(file: TreeEntry, data: string): void;
  /**
   * Facts for "not found": the nearest path that exists, the pattern that hides `path`, if one does, and names in the
   * nearest folder that may have been meant.
   */
  whyMissing(path: string): {
    readonly nearest: string;
    readonly excludedBy: string | undefined;
    readonly names: readonly string[];
  };
  close(): void;
}

/** A file by its open folder, with the record of `sys` that its entry was made of. */
export interface FilePlace {
  readonly folder: number;
  readonly name: string;
  readonly record: Buffer;
  readonly recordAt: number;
}

/** A folder with what is in it, as lstat tells: shown or hidden. Made by {@link Tree.list}. */
export interface FolderListing {
  /** What is shown, sorted by the bytes of the names. */
  entries(): TreeEntry[];
  /** What `keep` was given for the same folder with the same things in it, by an earlier build or digest. */
  readonly known: FolderDigest | undefined;
  /** Remembers a digest over the folder's own entries, to be `known` for as long as none of them changes. */
  keep(digest: string): void;
}

/** Entries of a folder: names, records of `sys` one after the other, contents as {@link Tree.contentOf} says; "" where unknown. */
export interface SeenFolder {
  readonly names: readonly string[];
  readonly records: Buffer;
  readonly contents: readonly string[];
}

export interface FolderDigest {
  readonly digest: string;
  /** Names of the folders among the shown entries, in order. */
  readonly folders: readonly string[];
}

/**
 * What an earlier build saw in a folder. Records are those of `sys`, one for each name, and differ when anything about a
 * file changed; a record of zeros is never equal to one.
 */
export interface FolderMemory {
  /** Joined by slashes. */
  readonly names: string;
  readonly records: Buffer;
  /** The contents of the files ({@link Tree.contentOf}), by the places of their names; "" where not known. */
  readonly contents: () => readonly string[];
  /** Which of the names were shown: equal texts show the same of the same names. */
  readonly view: string;
  /** Digest over the shown entries; "" for none. */
  readonly digest: string;
}

/**
 * Remembers folders between builds, so that unchanged files are not read again. Whether an entry can be trusted to be
 * unchanged (device, inode, size, mtime, ctime) is decided by comparing records; young files are not given to it.
 */
export interface ContentCache {
  recall(dev: bigint, ino: bigint): FolderMemory | undefined;
  remember(dev: bigint, ino: bigint, memory: FolderMemory): void;
}
