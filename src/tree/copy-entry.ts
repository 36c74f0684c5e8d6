import {
  chmodSync,
  closeSync,
  constants,
  lchownSync,
  linkSync,
  mkdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { VarveError } from "../errors/index.ts";
import { copySmallFile, mknod, smallFileBytes, utimensNoFollow, type FileTime } from "../sys/index.ts";
import { copyFileData, maxBlockingCopyBytes } from "./copy-data.ts";
import { toFileTime, type Destination } from "./destination.ts";
import { changedWhileRead } from "./file-hash.ts";
import type { ModeChange } from "./mode.ts";
import { encodePath } from "./names.ts";
import type { OwnerIds } from "./owner.ts";
import { baseName, parentPath } from "./path-text.ts";
import type { SelectedEntry } from "./selection.ts";
import { quote, toTreeError } from "./tree-error.ts";
import type { Tree, TreeEntry } from "./tree.ts";
import { setXattrs } from "./xattrs.ts";

/** What a copy changes of the things it copies. */
export interface CopyChanges {
  /** Undefined keeps the source's. */
  readonly owner: OwnerIds | undefined;
  readonly changeMode: ModeChange | undefined;
  /** Undefined keeps the source's. */
  readonly time: FileTime | undefined;
  /** Whether a file may take a folder's place, and the other way round; else TREE_CONFLICT. */
  readonly replaceAll: boolean;
}

export interface EntryCopier {
  /** Copies one selected entry (not what is below it) to the resolved path `target`, which no other entry has. */
  copy(selected: SelectedEntry, target: string): Promise<void>;
  /** Resolves when large files, which are copied beside what comes after them, are whole too. To be called in any case. */
  finish(): Promise<void>;
}

/** Large files that are copied at the same time: most of it is the kernel's finding of memory, for which it takes several cores. */
const maxLargeCopies = 2;

/** A copier for one source: files that are one file there become one file here. */
export function createEntryCopier(
  tree: Tree,
  destination: Destination,
  options: { readonly changes: CopyChanges; readonly pause: (bytes: number) => Promise<void> },
): EntryCopier {
  const { root } = destination;
  const { changes, pause } = options;
  const firstTargets = new Map<string, string>();
  const largeCopies = new Set<Promise<void>>();
  const failures: unknown[] = [];

  /** Order: a change of owner clears set-id bits and capabilities; writing attributes does not touch the time. */
  const applyMetadata = (entry: TreeEntry, target: string): void => {
    const { uid, gid } = changes.owner ?? entry;
    lchownSync(root.place(target), uid, gid);
    if (entry.type !== "symlink") {
      chmodSync(root.place(target), changes.changeMode?.(entry.mode, entry.type === "directory") ?? entry.mode);
    }
    const attributes = tree.xattrs(entry);
    if (attributes.length > 0) setXattrs(root.place(target), attributes);
  };
  const timeOf = (entry: TreeEntry): FileTime => changes.time ?? toFileTime(entry.mtimeNs);

  const copyFolder = ({ entry, relative, onTheWay }: SelectedEntry, target: string): void => {
    const existing = root.lstat(target);
    if (existing !== undefined && !existing.isDirectory()) {
      throw new VarveError(
        "TREE_CONFLICT",
        `cannot copy the folder ${quote(entry.path)} to ${quote(target)}, which is not a folder`,
        {
          details: { source: entry.path, target },
        },
      );
    }
    const isTop = relative === "";
    if (existing === undefined) {
      destination.keepTime(parentPath(target));
      mkdirSync(root.place(target), entry.mode);
    } else if (isTop) {
      destination.setTime(target, timeOf(entry)); // merged into: only the time is the source's
      return;
    } else if (onTheWay) {
      destination.keepTime(target);
      chmodSync(root.place(target), entry.mode);
      return;
    }
    applyMetadata(entry, target);
    destination.setTime(target, timeOf(entry));
  };

  const makeRoom = (entry: TreeEntry, target: string): void => {
    destination.keepTime(parentPath(target));
    const existing = root.lstat(target);
    if (existing === undefined) return;
    if (existing.isDirectory()) {
      throw new VarveError("TREE_CONFLICT", `cannot replace the folder ${quote(target)} with the file ${quote(entry.path)}`, {
        details: { source: entry.path, target },
      });
    }
    unlinkSync(root.place(target));
  };

  const copyFile = async (entry: TreeEntry, target: string): Promise<void> => {
    const identity = entry.nlink > 1 ? `${entry.dev}:${entry.ino}` : undefined;
    const first = identity === undefined ? undefined : firstTargets.get(identity);
    if (first !== undefined) return linkSync(...root.places(first, target));
    if (identity !== undefined) firstTargets.set(identity, target);
    const fd = tree.openFile(entry);
    try {
      await copyFileData(fd, { entry, target: () => root.place(target), pause });
    } finally {
      closeSync(fd);
    }
  };

  /** Begins with the copy of a large file, which makes the target, and goes on beside others. */
  const copyLarge = async (entry: TreeEntry, target: string): Promise<void> => {
    while (largeCopies.size >= maxLargeCopies) await Promise.race(largeCopies);
    if (failures.length > 0) throw failures[0];
    const copying = (async () => {
      try {
        await copyFile(entry, target);
        finishEntry(entry, target);
      } catch (error) {
        failures.push(explain(error, entry, target));
      }
    })().finally(() => largeCopies.delete(copying));
    largeCopies.add(copying);
  };

  const finishEntry = (entry: TreeEntry, target: string): void => {
    applyMetadata(entry, target);
    const time = timeOf(entry);
    utimensNoFollow(root.place(target), { atime: time, mtime: time });
  };

  const copyOther = (entry: TreeEntry, target: string): void => {
    if (entry.type === "symlink") symlinkSync(encodePath(tree.readLink(entry)), root.place(target));
    else if (entry.type === "fifo") mknod(root.place(target), constants.S_IFIFO | 0o600);
    else if (entry.type === "character-device") mknod(root.place(target), constants.S_IFCHR | 0o600, entry.device);
    else if (entry.type === "block-device") mknod(root.place(target), constants.S_IFBLK | 0o600, entry.device);
    else writeFileSync(root.place(target), "", { flag: "wx" }); // a socket is nothing without its process: an empty file
  };

  /** False where the target exists, or a plain copy will not do. */
  const copySmall = (entry: TreeEntry, target: string): boolean => {
    const toName = baseName(target);
    if (entry.type !== "file" || entry.nlink > 1 || entry.size > smallFileBytes || !toName.isWellFormed()) return false;
    const from = tree.whereIs(entry);
    if (from === undefined) return false;
    const folder = parentPath(target);
    destination.keepTime(folder);
    const { uid, gid } = changes.owner ?? entry;
    const mode = changes.changeMode?.(entry.mode, false) ?? entry.mode;
    const result = copySmallFile({ ...from, toFolder: root.folder(folder), toName, mode, uid, gid, time: timeOf(entry) });
    if (result === "exists") return false;
    if (result === "changed") throw changedWhileRead(entry.path);
    if (result === "attributes") setXattrs(root.place(target), tree.xattrs(entry));
    return true;
  };

  const copyOne = async (selected: SelectedEntry, target: string): Promise<void> => {
    const { entry } = selected;
    if (copySmall(entry, target)) return await pause(entry.size);
    if (changes.replaceAll && (root.lstat(target)?.isDirectory() !== true || entry.type !== "directory")) {
      destination.remove(target);
    }
    if (entry.type === "directory") return copyFolder(selected, target);
    makeRoom(entry, target);
    if (entry.type === "file" && entry.size > maxBlockingCopyBytes) return await copyLarge(entry, target);
    if (entry.type === "file") await copyFile(entry, target);
    else copyOther(entry, target);
    finishEntry(entry, target);
  };

  const explain = (error: unknown, entry: TreeEntry, target: string): unknown =>
    toTreeError(error, `copy ${quote(entry.path)} to ${quote(target)}`, entry.path);

  return {
    async copy(selected, target) {
      try {
        await copyOne(selected, target);
      } catch (error) {
        throw explain(error, selected.entry, target);
      }
    },
    async finish() {
      await Promise.all(largeCopies);
      if (failures.length > 0) throw failures[0];
    },
  };
}
