import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { hasCode, mount, statfsType } from "../sys/index.ts";

const cgroup2Magic = 0x63677270;
const tmpfsMagic = 0x01021994;
const unified = "/sys/fs/cgroup/unified";

/**
 * Hides the second cgroup tree of a hybrid machine, with which crun refuses to run. Once per worker, in its own mount namespace;
 * a second call finds nothing to do.
 */
export function prepareCgroups(): void {
  if (!existsSync(unified) || statfsType(unified) !== cgroup2Magic) return;
  mount("tmpfs", unified, "tmpfs", 0, "size=16m,mode=0755");
}

/** Removes what crun wrote for one container into the folder that {@link prepareCgroups} put in the tree's place. */
export function forgetCgroup(cgroupsPath: string | undefined): void {
  if (cgroupsPath === undefined || !existsSync(unified) || statfsType(unified) !== tmpfsMagic) return;
  rmSync(join(unified, cgroupsPath), { recursive: true, force: true });
}

/** Removes the cgroups of one container, which a runtime that failed may have left. False while processes live in one. */
export function removeCgroup(cgroupsPath: string | undefined): boolean {
  if (cgroupsPath === undefined) return true;
  const places = cgroupRoots().map((root) => join(root, cgroupsPath));
  for (const place of places) removeTree(place);
  return !places.some((place) => existsSync(place));
}

/** The processes in a cgroup and those below it; none where it is not there. */
export function listCgroup(cgroupsPath: string): readonly number[] {
  const found = new Set<number>();
  const visit = (folder: string): void => {
    if (!existsSync(folder)) return;
    for (const line of readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n")) if (line !== "") found.add(Number(line));
    for (const child of listFolders(folder)) visit(join(folder, child));
  };
  for (const root of cgroupRoots()) visit(join(root, cgroupsPath));
  return [...found];
}

/** A cgroup this young may belong to a container that is just being made. */
const defaultMinAgeMs = 60_000;

/**
 * Removes the cgroups of steps that are gone (after a `kill -9` nobody else does); those in use stay. Returns how many folders it
 * removed. Needs root; for others it does nothing. The names that a mount namespace shows are enough.
 */
export function sweepCgroups(options: { readonly minAgeMs?: number } = {}): number {
  const before = Date.now() - (options.minAgeMs ?? defaultMinAgeMs);
  let removed = 0;
  for (const root of cgroupRoots()) {
    const folder = join(root, "varve");
    for (const id of listFolders(folder)) {
      const path = join(folder, id);
      if (bornBefore(path, before) && removeTree(path)) removed += 1;
    }
  }
  return removed;
}

function cgroupRoots(): string[] {
  const roots: string[] = [];
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const fields = line.split(" ");
    const type = fields[fields.indexOf("-") + 1];
    const point = fields[4];
    if (point !== undefined && (type === "cgroup" || type === "cgroup2")) roots.push(point);
  }
  return roots;
}

function listFolders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if (hasCode(error, "ENOENT", "EACCES")) return [];
    throw error;
  }
}

function bornBefore(path: string, time: number): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) < time;
}

/** rmdir(2) of a cgroup succeeds only when nothing lives in it. */
function removeTree(path: string): boolean {
  for (const child of listFolders(path)) removeTree(join(path, child));
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if (hasCode(error, "EBUSY", "ENOENT", "EACCES", "EPERM", "EROFS", "ENOTEMPTY")) return false;
    throw error;
  }
}
