import { lstatSync, readdirSync, type BigIntStats } from "node:fs";
import { toBytePath, toFsPath, type BytePath } from "./byte-path.ts";
import { isOpaque, isWhiteout } from "./overlay-marks.ts";

/** A folder as the layers below show it together, without mounting them. */
export interface LowerFolder {
  /** The folder in each layer that has a part in it, top first. */
  readonly parts: readonly BytePath[];
  readonly userXattr: boolean;
}

export interface LowerEntry {
  /** Where the entry that shows lies. */
  readonly path: BytePath;
  readonly stats: BigIntStats;
  /** Set for folders. */
  readonly folder: LowerFolder | undefined;
}

/** The root of the layers, given bottom first. */
export function openLowers(lowers: readonly string[], { userXattr }: { readonly userXattr: boolean }): LowerFolder {
  return { parts: lowers.toReversed().map(toBytePath), userXattr };
}

/** What an overlay of the layers would show under this name: whiteouts and opaque folders hide what is below them. */
export function findLower(folder: LowerFolder, name: BytePath): LowerEntry | undefined {
  const merged: BytePath[] = [];
  let top: BigIntStats | undefined;
  for (const part of folder.parts) {
    const path = `${part}/${name}`;
    const stats = lstatSync(toFsPath(path), { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (!stats.isDirectory()) {
      if (top === undefined && !isWhiteout(stats)) return { path, stats, folder: undefined };
      break;
    }
    top ??= stats;
    merged.push(path);
    if (part !== folder.parts.at(-1) && isOpaque(toFsPath(path), folder.userXattr)) break;
  }
  const [path] = merged;
  return top === undefined || path === undefined ? undefined : { path, stats: top, folder: { ...folder, parts: merged } };
}

/** {@link findLower} along several names; links on the way are not followed. */
export function findLowerPath(root: LowerFolder, parts: readonly BytePath[]): LowerEntry | undefined {
  let folder: LowerFolder | undefined = root;
  let found: LowerEntry | undefined;
  for (const part of parts) {
    if (folder === undefined) return undefined;
    found = findLower(folder, part);
    folder = found?.folder;
  }
  return found;
}

/** The names that show in the folder, in no order. */
export function listLower(folder: LowerFolder): BytePath[] {
  const names = new Set<BytePath>();
  for (const part of folder.parts) {
    for (const name of readdirSync(toFsPath(part), { encoding: "latin1" })) names.add(name);
  }
  return [...names].filter((name) => findLower(folder, name) !== undefined);
}
