import { readdirSync } from "node:fs";
import { throwIfAborted } from "../flow/index.ts";
import type { TaskContext } from "../worker/index.ts";
import { hasCode } from "../sys/index.ts";
import { showPath, toBytePath, toFsPath, type BytePath } from "./byte-path.ts";
import { findLower, findLowerPath, listLower, openLowers, type LowerFolder } from "./lower-view.ts";
import { isOpaque, isWhiteout } from "./overlay-marks.ts";
import type { ChangesParams, FoundChanges } from "./tasks.ts";
import { isSameEntry, readXattrs, statEntry } from "./upper-entry.ts";

/** Something that an upper folder has, has otherwise, or hides. */
export interface FolderChange {
  readonly kind: "added" | "changed" | "deleted";
  /** Absolute, seen from the root. */
  readonly path: string;
}

interface ChangesOptions extends Omit<ChangesParams, "mountPoints"> {
  readonly leaveOut: ReadonlySet<BytePath>;
  readonly userXattr: boolean;
  readonly signal: AbortSignal;
}

/** What an upper folder changed of the layers below, by path: what {@link diffLayer} would have an entry for, without the root. */
export async function runChangesTask(
  { upper, lowers, mountPoints }: ChangesParams,
  { userNamespace, signal }: Pick<TaskContext<never>, "userNamespace" | "signal">,
): Promise<FoundChanges> {
  const leftOut = findMountPoints({ upper, lowers, mountPoints, userXattr: userNamespace });
  const leaveOut = new Set(leftOut.map(toBytePath));
  const changes = listChanges({ upper, lowers, leaveOut, userXattr: userNamespace, signal });
  return await Promise.resolve({ changes, leftOut });
}

function listChanges({ upper, lowers, leaveOut, userXattr, signal }: ChangesOptions): readonly FolderChange[] {
  const changes: FolderChange[] = [];
  /** Whether something below `parent` is another than it was. */
  const walk = (folder: BytePath, parent: BytePath, lower: LowerFolder | undefined, hidden: boolean): boolean => {
    throwIfAborted(signal);
    const own = readdirSync(toFsPath(folder), { encoding: "latin1" });
    const hides = hidden || isOpaque(toFsPath(folder), userXattr);
    const gone = hides && lower !== undefined ? listLower(lower).filter((name) => !own.includes(name)) : [];
    let any = false;
    for (const name of [...own, ...gone].toSorted((a, b) => (a < b ? -1 : 1))) {
      const path = parent === "" ? name : `${parent}/${name}`;
      if (leaveOut.has(path)) continue;
      const below = lower === undefined ? undefined : findLower(lower, name);
      const found = gone.includes(name) ? undefined : statEntry(`${folder}/${name}`);
      if (found === undefined || isWhiteout(found.stats)) {
        if (below === undefined) continue;
        any = true;
        changes.push({ kind: "deleted", path: `/${showPath(path)}` });
        continue;
      }
      if (found.stats.isSocket()) continue;
      const place = changes.length;
      const differs = below === undefined || !isSameEntry(found, below, readXattrs(found));
      const within = found.stats.isDirectory() && walk(found.path, path, below?.folder, hides);
      if (!differs && !within) continue;
      any = true;
      changes.splice(place, 0, { kind: below === undefined ? "added" : "changed", path: `/${showPath(path)}` });
    }
    return any;
  };
  walk(toBytePath(upper), "", openLowers(lowers, { userXattr }), false);
  return changes;
}

/**
 * Which of the names stand in the upper folder for nothing but a mount: empty files and folders that the layers below have not.
 * A folder that holds nothing but such ones is one itself.
 */
function findMountPoints({ upper, lowers, mountPoints, userXattr }: ChangesParams & { readonly userXattr: boolean }): string[] {
  const root = openLowers(lowers, { userXattr });
  const found = new Set<string>();
  // those within a folder before the folder
  for (const name of mountPoints.toSorted((a, b) => b.split("/").length - a.split("/").length)) {
    if (findLowerPath(root, name.split("/").map(toBytePath)) !== undefined) continue;
    const entry = tryStat(`${upper}/${name}`);
    if (entry === undefined) continue;
    const { stats, path } = entry;
    const isEmpty = stats.isDirectory()
      ? readdirSync(toFsPath(path)).every((child) => found.has(`${name}/${child}`))
      : stats.isFile() && stats.size === 0n;
    if (isEmpty) found.add(name);
  }
  return [...found];
}

function tryStat(path: string): ReturnType<typeof statEntry> | undefined {
  try {
    return statEntry(toBytePath(path));
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
