import { closeSync, constants, fstatSync, openSync, type BigIntStats } from "node:fs";
import { splitDevice } from "../sys/index.ts";
import { changedWhileRead, hashFile, textDigest } from "./file-hash.ts";
import { followPaths } from "./follow-paths.ts";
import { childPath, parentPath } from "./path-text.ts";
import { createPatternMatcher } from "./pattern-matcher.ts";
import { resolveInRoot } from "./resolve-in-root.ts";
import { openRootedFolder, type RootedFolder } from "./rooted-folder.ts";
import { quote, toTreeError } from "./tree-error.ts";
import { createFilter, type FilterState, type TreeFilter } from "./tree-filter.ts";
import type { ContentCache, EntryType, Tree, TreeEntry } from "./tree.ts";
import { keptXattrs } from "./xattrs.ts";

export interface DirectoryTreeOptions {
  /** Patterns of the ignore file ({@link parseIgnoreFile}); what they match is not there. */
  readonly exclude?: readonly string[];
  /** Only these paths (wildcards allowed) and what links in them lead to are there. Absent: everything. */
  readonly only?: readonly string[];
  /**
   * True for a build context: everything belongs to 0:0, and the root folder itself has mode 0755, no attributes and the
   * time 0, so that a checkout elsewhere is the same context. False for stages and images.
   */
  readonly resetOwner: boolean;
  readonly cache?: ContentCache;
}

/** A real folder as a tree, read in place. Close it when done. Missing folder: TREE_NOT_FOUND. */
export function openDirectoryTree(path: string, options: DirectoryTreeOptions): Tree {
  let root: RootedFolder;
  try {
    root = openRootedFolder(path);
  } catch (error) {
    throw toTreeError(error, `open the folder ${quote(path)}`, path);
  }
  try {
    return createTree(root, options);
  } catch (error) {
    root.close();
    throw error;
  }
}

function createTree(root: RootedFolder, options: DirectoryTreeOptions): Tree {
  const guarded = <T>(path: string, read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw toTreeError(error, `read ${quote(path)}`, path);
    }
  };
  const linkIn = (path: string): string | undefined =>
    guarded(path, () => (root.lstat(path)?.isSymbolicLink() === true ? root.readLink(path) : undefined));

  const exclude = options.exclude === undefined ? undefined : createPatternMatcher(options.exclude);
  const only =
    options.only &&
    followPaths(options.only, {
      linkAt: linkIn,
      names: (path) => (root.lstat(path)?.isDirectory() === true ? root.names(path) : []),
    });
  const filter =
    exclude === undefined && only === undefined
      ? undefined
      : createFilter({ exclude, include: only && createPatternMatcher(only) });
  const shown = createVisibility(root, filter);

  const at = (path: string): BigIntStats | undefined =>
    guarded(path, () => {
      const stats = root.lstat(path);
      return stats !== undefined && shown(path, stats.isDirectory()) ? stats : undefined;
    });
  const toEntry = (path: string, stats: BigIntStats): TreeEntry => {
    if (!options.resetOwner) return entryOf(path, stats);
    const entry = { ...entryOf(path, stats), uid: 0, gid: 0 };
    return path === "/" ? { ...entry, mode: 0o755, mtimeNs: 0n } : entry;
  };
  const xattrs = (entry: TreeEntry): (readonly [string, Buffer])[] =>
    guarded(entry.path, () => (options.resetOwner && entry.path === "/" ? [] : keptXattrs(root.place(entry.path))));
  const readLink = (entry: TreeEntry): string => guarded(entry.path, () => root.readLink(entry.path));

  const openFile = (entry: TreeEntry): number =>
    guarded(entry.path, () => {
      const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
      const fd = openSync(root.place(entry.path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      const stats = fstatSync(fd, { bigint: true });
      const same = stats.dev === entry.dev && stats.ino === entry.ino && Number(stats.size) === entry.size;
      if (stats.isFile() && same && stats.mtimeNs === entry.mtimeNs) return fd;
      closeSync(fd);
      throw changedWhileRead(entry.path);
    });
  const dataOf = (entry: TreeEntry): string => {
    if (entry.type === "symlink") return textDigest(readLink(entry));
    if (entry.type !== "file") return "";
    const fd = openFile(entry);
    try {
      return hashFile(fd, entry.path);
    } finally {
      closeSync(fd);
    }
  };

  return {
    resolve: (path, { followLast }) =>
      resolveInRoot(path, {
        followLast,
        linkAt: (link) => (at(link)?.isSymbolicLink() === true ? guarded(link, () => root.readLink(link)) : undefined),
      }),
    entry(path) {
      const stats = at(path);
      return stats && toEntry(path, stats);
    },
    children: (path) =>
      guarded(path, () => {
        const out: TreeEntry[] = [];
        for (const name of root.names(path)) {
          const child = childPath(path, name);
          const stats = root.lstat(child);
          if (stats !== undefined && shown(child, stats.isDirectory())) out.push(toEntry(child, stats));
        }
        return out;
      }),
    readLink,
    xattrs,
    openFile,
    contentOf(entry) {
      const known = options.cache?.recall(entry.path, entry);
      if (known !== undefined) return known;
      const attributes = xattrs(entry);
      const suffix = attributes.map(([name, value]) => `${name}=${value.toString("hex")}`).join("\n");
      const content = dataOf(entry) + (suffix === "" ? "" : `+${textDigest(suffix)}`);
      options.cache?.remember(entry.path, entry, content);
      return content;
    },
    whyMissing(path) {
      // Paths that no step asked for may have been meant all the same: only the ignore file counts here.
      const visible = createVisibility(root, exclude && createFilter({ exclude, include: undefined }));
      const exists = (at: string): boolean => {
        const stats = guarded(at, () => root.lstat(at));
        return stats !== undefined && guarded(at, () => visible(at, stats.isDirectory()));
      };
      let nearest = path;
      while (nearest !== "/" && !exists(nearest)) nearest = parentPath(nearest);
      const isFolder = guarded(nearest, () => root.lstat(nearest))?.isDirectory() === true;
      const names = isFolder ? guarded(nearest, () => root.names(nearest)).slice(0, maxNames) : [];
      const hidden = guarded(path, () => root.lstat(path)) !== undefined;
      return {
        nearest,
        excludedBy: hidden ? exclude?.decisivePattern(path.slice(1)) : undefined,
        names: names.filter((name) => exists(childPath(nearest, name))),
      };
    },
    close: () => root.close(),
  };
}

/** Names that are looked through for one that may have been meant. */
const maxNames = 1_000;

/** Whether the filter shows what is at a path. Remembers the states of folders, so that a walk asks each pattern once. */
function createVisibility(root: RootedFolder, filter: TreeFilter | undefined): (path: string, isFolder: boolean) => boolean {
  if (filter === undefined) return () => true;
  const states = new Map<string, FilterState>([["/", filter.root]]);
  const holding = new Map<string, boolean>();
  const stateOf = (path: string, isFolder: boolean): FilterState => {
    const known = states.get(path);
    if (known !== undefined) return known;
    const state = filter.child(stateOf(parentPath(path), true), path.slice(1));
    if (isFolder) states.set(path, state);
    return state;
  };
  const holds = (path: string): boolean => {
    const known = holding.get(path);
    if (known !== undefined) return known;
    const found = root.names(path).some((name) => {
      const child = childPath(path, name);
      const stats = root.lstat(child);
      return stats !== undefined && shown(child, stats.isDirectory());
    });
    holding.set(path, found);
    return found;
  };
  const shown = (path: string, isFolder: boolean): boolean => {
    const state = stateOf(path, isFolder);
    return state.shown || (isFolder && state.maybeBelow && holds(path));
  };
  return shown;
}

function entryOf(path: string, stats: BigIntStats): TreeEntry {
  const mode = Number(stats.mode);
  const type = types[mode & constants.S_IFMT] ?? "file";
  return {
    path,
    type,
    mode: mode & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: type === "file" || type === "symlink" ? Number(stats.size) : 0,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    dev: stats.dev,
    ino: stats.ino,
    nlink: Number(stats.nlink),
    device: type === "character-device" || type === "block-device" ? splitDevice(stats.rdev) : noDevice,
  };
}

const noDevice = { major: 0, minor: 0 };

const types: Readonly<Record<number, EntryType>> = {
  [constants.S_IFREG]: "file",
  [constants.S_IFDIR]: "directory",
  [constants.S_IFLNK]: "symlink",
  [constants.S_IFIFO]: "fifo",
  [constants.S_IFSOCK]: "socket",
  [constants.S_IFCHR]: "character-device",
  [constants.S_IFBLK]: "block-device",
};
