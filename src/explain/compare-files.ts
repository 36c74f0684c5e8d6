import type { FileChange } from "../events/index.ts";

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

/** How two lists of files differ. */
export function compareFiles(
  now: readonly FileFacts[],
  before: readonly FileFacts[],
): { readonly files: readonly FileChange[]; readonly count: number; readonly onlyModes: boolean } {
  const [mine, theirs] = [byPath(now), byPath(before)];
  const changes: FileChange[] = [];
  for (const [path, file] of mine) {
    const old = theirs.get(path);
    const change = old === undefined ? { path, change: "added" as const } : compare(file, old);
    if (change) changes.push(change);
  }
  for (const path of theirs.keys()) if (!mine.has(path)) changes.push({ path, change: "removed" });
  changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return {
    files: changes.slice(0, maxToldFiles),
    count: changes.length,
    onlyModes: changes.length > 0 && changes.every(({ change }) => change === "mode"),
  };
}

function byPath(files: readonly FileFacts[]): Map<string, FileFacts> {
  return new Map(files.map((file) => [file.path, file]));
}

function compare(file: FileFacts, old: FileFacts): FileChange | undefined {
  const { path } = file;
  if (file.type !== old.type) return { path, change: "type", old: old.type, new: file.type };
  if (file.content !== old.content) return { path, change: "content" };
  if (file.owner !== old.owner) return { path, change: "owner", old: old.owner, new: file.owner };
  if (file.mode !== old.mode) return { path, change: "mode", old: old.mode, new: file.mode };
  return undefined;
}
