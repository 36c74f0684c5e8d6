import { hash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import {
  readSmallFile,
  readStatRecord,
  recordMode,
  smallFileBytes,
  splitDevice,
  statRecordBytes,
  writeStatRecord,
  type StatFields,
} from "../sys/index.ts";
import { changedWhileRead, hashFile, textDigest } from "./file-hash.ts";
import { createFolderStates, splitPath, type FolderState } from "./folder-memory.ts";
import { followPaths } from "./follow-paths.ts";
import { childPath, parentPath } from "./path-text.ts";
import { createPatternMatcher } from "./pattern-matcher.ts";
import { resolveInRoot } from "./resolve-in-root.ts";
import { openRootedFolder, type RootedFolder } from "./rooted-folder.ts";
import { quote, toTreeError } from "./tree-error.ts";
import { createFilter, type FilterState, type TreeFilter } from "./tree-filter.ts";
import type { ContentCache, EntryType, FilePlace, Tree, TreeEntry } from "./tree.ts";
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
      names: (path) => guarded(path, () => (root.lstat(path)?.isDirectory() === true ? root.names(path) : [])),
    });
  const filter =
    exclude === undefined && only === undefined
      ? undefined
      : createFilter({ exclude, include: only && createPatternMatcher(only) });
  const { shown, viewOf } = createVisibility(root, filter, JSON.stringify([options.exclude, options.only]));
  const folders = createFolderStates(options.cache, (path) => root.lstat(path));
  /** What an entry was made of. */
  const origins = new WeakMap<TreeEntry, { readonly record: Buffer; readonly at: number; readonly sinceMs: number }>();

  const toEntry = (path: string, record: Buffer, at: number, sinceMs: number): TreeEntry => {
    const found = entryOf(path, readStatRecord(record, at));
    const entry = !options.resetOwner
      ? found
      : path === "/"
        ? { ...found, uid: 0, gid: 0, mode: 0o755, mtimeNs: 0n }
        : { ...found, uid: 0, gid: 0 };
    origins.set(entry, { record, at, sinceMs });
    return entry;
  };
  const at = (path: string): TreeEntry | undefined =>
    guarded(path, () => {
      const sinceMs = Date.now();
      const stats = root.lstat(path);
      if (stats === undefined || !shown(path, stats.isDirectory())) return undefined;
      const record = Buffer.alloc(statRecordBytes);
      writeStatRecord(stats, record, 0);
      return toEntry(path, record, 0, sinceMs);
    });
  const isLink = (path: string): boolean => at(path)?.type === "symlink";
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
  const wholeContent = (entry: TreeEntry, data: string): string => {
    const suffix = xattrs(entry)
      .map(([name, value]) => `${name}=${value.toString("hex")}`)
      .join("\n");
    return data + (suffix === "" ? "" : `+${textDigest(suffix)}`);
  };
  const whereIs = (entry: TreeEntry): FilePlace | undefined => {
    const origin = origins.get(entry);
    const { folder, name } = splitPath(entry.path);
    if (origin === undefined || entry.path === "/" || !name.isWellFormed()) return undefined;
    const fd = guarded(entry.path, () => root.folder(folder));
    return { folder: fd, name, record: origin.record, recordAt: origin.at };
  };
  const readContent = (entry: TreeEntry): string => {
    const place = entry.type === "file" && entry.size <= smallFileBytes ? whereIs(entry) : undefined;
    if (place === undefined) return wholeContent(entry, dataOf(entry));
    const read = guarded(entry.path, () => readSmallFile(place.folder, place.name, place.record, place.recordAt));
    if (read === undefined) throw changedWhileRead(entry.path);
    const data = hash("sha256", read.data, "hex");
    return read.attributes ? wholeContent(entry, data) : data;
  };

  const learn = (entry: TreeEntry, content: string): void => {
    const origin = origins.get(entry);
    if (options.cache === undefined || origin === undefined || entry.path === "/") return;
    const { folder, name } = splitPath(entry.path);
    const record = origin.record.subarray(origin.at, origin.at + statRecordBytes);
    folders.at(folder).learn(name, { record, content: content === "" ? nothing : content, sinceMs: origin.sinceMs });
  };

  const listFolder = (path: string): FolderState =>
    guarded(path, () => {
      const sinceMs = Date.now();
      const names = root.names(path);
      const records = root.records(path, names);
      return folders.list(path, { names, records, sinceMs });
    });
  const isThere = (records: Buffer, place: number): boolean => recordMode(records, place * statRecordBytes) !== 0;
  const isFolder = (records: Buffer, place: number): boolean =>
    (recordMode(records, place * statRecordBytes) & constants.S_IFMT) === constants.S_IFDIR;
  const entriesOf = (path: string, { listed }: FolderState): TreeEntry[] => {
    const out: TreeEntry[] = [];
    if (listed === undefined) return out;
    const whole = viewOf(path) === "";
    for (const [place, name] of listed.names.entries()) {
      if (!isThere(listed.records, place)) continue;
      const child = childPath(path, name);
      if (!whole && !shown(child, isFolder(listed.records, place))) continue;
      out.push(toEntry(child, listed.records, place * statRecordBytes, listed.sinceMs));
    }
    return out;
  };

  return {
    resolve: (path, { followLast }) =>
      resolveInRoot(path, {
        followLast,
        linkAt: (link) => (isLink(link) ? guarded(link, () => root.readLink(link)) : undefined),
      }),
    entry: at,
    children: (path) => guarded(path, () => entriesOf(path, listFolder(path))),
    list(path) {
      const state = listFolder(path);
      const view = guarded(path, () => viewOf(path));
      const { listed } = state;
      if (!state.same || state.view !== view || listed === undefined) {
        return {
          entries: () => guarded(path, () => entriesOf(path, state)),
          known: undefined,
          keep(digest) {
            const seen = viewOf(path); // after the entries were: only they tell whether it hangs on more
            if (options.cache === undefined || seen === undefined) return;
            state.view = seen;
            folders.keepDigest(state, digest);
          },
        };
      }
      const below = listed.names.filter((name, place) => {
        return isFolder(listed.records, place) && (view === "" || guarded(path, () => shown(childPath(path, name), true)));
      });
      return {
        entries: () => guarded(path, () => entriesOf(path, state)),
        known: { digest: state.digest, folders: below },
        keep: () => undefined,
      };
    },
    seen(path) {
      const state = folders.at(path);
      const { listed } = state;
      if (listed === undefined) return undefined;
      const { names, records } = listed;
      const whole = guarded(path, () => viewOf(path)) === "";
      const places = [...names.keys()].filter(
        (place) =>
          isThere(records, place) &&
          (whole || guarded(path, () => shown(childPath(path, names[place] ?? ""), isFolder(records, place)))),
      );
      const contents = places.map((place) => state.lastContent(names[place] ?? "", records, place * statRecordBytes) ?? "");
      if (places.length === names.length) return { names, records, contents };
      const some = places.map((place) => records.subarray(place * statRecordBytes, (place + 1) * statRecordBytes));
      return { names: places.map((place) => names[place] ?? ""), records: Buffer.concat(some), contents };
    },
    settle: () => folders.settle(),
    readLink,
    xattrs,
    openFile,
    whereIs,
    contentOf(entry) {
      const origin = origins.get(entry);
      if (options.cache === undefined || origin === undefined || entry.path === "/") return readContent(entry);
      const { folder, name } = splitPath(entry.path);
      const state = folders.at(folder);
      const known = state.contentOf(name, origin.record, origin.at);
      if (known !== undefined) return known === nothing ? "" : known;
      const content = readContent(entry);
      learn(entry, content);
      return content;
    },
    learnData: (file, data) => learn(file, wholeContent(file, data)),
    whyMissing(path) {
      // Paths that no step asked for may have been meant all the same: only the ignore file counts here.
      const visible = createVisibility(root, exclude && createFilter({ exclude, include: undefined }), "").shown;
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

/** Remembered for what has neither data nor attributes: "" is what is not known. */
const nothing = "-";

/** Names that are looked through for one that may have been meant. */
const maxNames = 1_000;

interface Visibility {
  /** Whether the filter shows what is at a path. */
  readonly shown: (path: string, isFolder: boolean) => boolean;
  /**
   * A text that says which names of a folder are shown: "" for all. Undefined when that hangs on what is in the folders
   * below, of which a hidden one is shown for the sake of something in it.
   */
  readonly viewOf: (path: string) => string | undefined;
}

/** Remembers the states of folders, so that a walk asks each pattern once. */
function createVisibility(root: RootedFolder, filter: TreeFilter | undefined, name: string): Visibility {
  if (filter === undefined) return { shown: () => true, viewOf: () => "" };
  const states = new Map<string, FilterState>([["/", filter.root]]);
  const holding = new Map<string, boolean>();
  /** Folders with something hidden in them that may be shown for what it holds. */
  const conditional = new Set<string>();
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
    if (isFolder && !state.shown && state.maybeBelow) conditional.add(parentPath(path));
    return state.shown || (isFolder && state.maybeBelow && holds(path));
  };
  const viewOf = (path: string): string | undefined => {
    if (stateOf(path, true).wholeBelow) return "";
    return conditional.has(path) ? undefined : hash("sha256", JSON.stringify([name, path]));
  };
  return { shown, viewOf };
}

function entryOf(path: string, { mode, size, rdev, uid, gid, mtimeNs, ctimeNs, dev, ino, nlink }: StatFields): TreeEntry {
  const type = types[mode & constants.S_IFMT] ?? "file";
  return {
    path,
    type,
    mode: mode & 0o7777,
    uid,
    gid,
    size: type === "file" || type === "symlink" ? size : 0,
    mtimeNs,
    ctimeNs,
    dev,
    ino,
    nlink,
    device: type === "character-device" || type === "block-device" ? splitDevice(rdev) : noDevice,
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
