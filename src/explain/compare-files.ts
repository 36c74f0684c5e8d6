import type { FileChange } from "../events/index.ts";
import { readEntries, type FileList } from "./file-list.ts";

/** One file of a list: what a step read, as far as its key counts it. */
export interface FileFacts {
  /** Absolute in what it is read from. */
  readonly path: string;
  readonly type: string;
  /** Octal. */
  readonly mode: string;
  /** `uid:gid`. */
  readonly owner: string;
  /** Differs whenever the data, the target of a link, or an attribute does. */
  readonly content: string;
}

/** As many changed files as are told one by one: the first ones by path. */
export const maxToldFiles = 10;

/**
 * How two lists of files differ. Folders with equal digests are not looked into. One whose entries are not known any more
 * stands for what changed in it, with a slash at its end; `count` is absent then.
 */
export function compareFiles(
  now: readonly FileList[],
  before: readonly FileList[],
  entriesOf: (digest: string) => string | undefined,
): { readonly files: readonly FileChange[]; readonly count?: number; readonly onlyModes: boolean } {
  const mine = new Map<string, FileFacts>();
  const theirs = new Map<string, FileFacts>();
  const unknown: FileChange[] = [];
  const [foldersNow, foldersBefore] = [joinFolders(now), joinFolders(before)];
  for (const { files } of now) for (const file of files) mine.set(file.path, file);
  for (const { files } of before) for (const file of files) theirs.set(file.path, file);
  for (const path of new Set([...foldersNow.keys(), ...foldersBefore.keys()])) {
    const [a, b] = [foldersBefore.get(path), foldersNow.get(path)];
    if (a === b) continue;
    const [left, right] = [a === undefined ? "" : entriesOf(a), b === undefined ? "" : entriesOf(b)];
    if (left === undefined || right === undefined) {
      unknown.push({ path: path === "/" ? "/" : `${path}/`, change: "content" });
      continue;
    }
    for (const file of readEntries(path, left)) theirs.set(file.path, file);
    for (const file of readEntries(path, right)) mine.set(file.path, file);
  }
  return difference(mine, theirs, unknown);
}

function joinFolders(lists: readonly FileList[]): Map<string, string> {
  return new Map(lists.flatMap(({ folders }) => [...folders]));
}

function difference(
  mine: ReadonlyMap<string, FileFacts>,
  theirs: ReadonlyMap<string, FileFacts>,
  unknown: readonly FileChange[],
): ReturnType<typeof compareFiles> {
  const changes = [...unknown];
  for (const [path, file] of mine) {
    const old = theirs.get(path);
    const change = old === undefined ? { path, change: "added" as const } : compare(file, old);
    if (change) changes.push(change);
  }
  for (const path of theirs.keys()) if (!mine.has(path)) changes.push({ path, change: "removed" });
  changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return {
    files: changes.slice(0, maxToldFiles),
    ...(unknown.length > 0 ? {} : { count: changes.length }),
    onlyModes: changes.length > 0 && changes.every(({ change }) => change === "mode"),
  };
}

function compare(file: FileFacts, old: FileFacts): FileChange | undefined {
  const { path } = file;
  if (file.type !== old.type) return { path, change: "type", old: old.type, new: file.type };
  if (file.content !== old.content) return { path, change: "content" };
  if (file.owner !== old.owner) return { path, change: "owner", old: old.owner, new: file.owner };
  if (file.mode !== old.mode) return { path, change: "mode", old: old.mode, new: file.mode };
  return undefined;
}
