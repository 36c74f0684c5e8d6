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
  /** The target of a link, as it is written there. */
  readLink(entry: TreeEntry): string;
  /** The extended attributes that a copy keeps, sorted by name. */
  xattrs(entry: TreeEntry): readonly (readonly [name: string, value: Buffer])[];
  /** Opens a file for reading; the caller closes it. It is the file of `entry`, or the error is TREE_CHANGED. */
  openFile(entry: TreeEntry): number;
  /**
   * A digest over what lstat does not tell: data, link target, attributes. Equal texts mean equal contents.
   * For a file without attributes it is the SHA-256 of its data in hex.
   */
  contentOf(entry: TreeEntry): string;
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

/**
 * Remembers contents between builds, so that unchanged files are not read again. Whether an entry can be trusted to be
 * unchanged (device, inode, size, mtime, ctime; not too young) is decided there.
 */
export interface ContentCache {
  /** What was remembered for `path` with exactly this entry, or undefined. */
  recall(path: string, entry: TreeEntry): string | undefined;
  remember(path: string, entry: TreeEntry, content: string): void;
}
