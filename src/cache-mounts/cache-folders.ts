import { hash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The folder of a cache mount in the folder of them all: `lock` (who uses it), `transfer` (held while it is copied away),
 * `seed` (held while it gets its beginning), `fs` (what steps see) and `about.json`. When `private` or `shared` steps need
 * more than one folder of the same cache at the same time, the others are `NAME-1`, `NAME-2` …
 */
export interface About {
  /** As the graph has it: BUILDKIT_CACHE_MOUNT_NS, a slash, and the id of the Dockerfile. */
  readonly id: string;
  /** Content digest of what it began with; absent for one that began empty. */
  readonly seed?: string;
  /** Of the step that used it last. */
  readonly sharing?: Sharing;
}

export type Sharing = "shared" | "private" | "locked";

/**
 * How users know a cache: the id in a graph has the namespace and a slash before what the Dockerfile says; where there is no
 * namespace the slash says nothing.
 */
export function shownId(id: string): string {
  return id.startsWith("/") ? id.slice(1) : id;
}

/** The name of the folder of a cache: by its id, and by the snapshots that it begins with. */
export function folderName(id: string, base: readonly number[]): string {
  return hash("sha256", JSON.stringify([id, base]));
}

/** Where an imported cache waits for the first step that mounts it with this very beginning. */
export function waitingName(id: string, seed: string): string {
  return hash("sha256", JSON.stringify(["imported", id, seed]));
}

/** The folders of one cache, the first one first. */
export function lanesOf(folder: string): readonly string[] {
  const lanes: string[] = [];
  for (let lane = lanePath(folder, 0); existsSync(lane); lane = lanePath(folder, lanes.length)) lanes.push(lane);
  return lanes;
}

export function lanePath(folder: string, lane: number): string {
  return lane === 0 ? folder : `${folder}-${lane}`;
}

export function makeLane(folder: string, lane: number): string {
  const path = lanePath(folder, lane);
  mkdirSync(path, { recursive: true, mode: 0o711 });
  return path;
}

/** The caches of a store, by their folders, in the order of their names. */
export function listFolders(root: string): readonly string[] {
  return namesIn(root)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .map((name) => join(root, name));
}

/** A name for what is on its way in or out. */
export function asidePath(root: string): string {
  return join(root, `.aside-${randomBytes(8).toString("hex")}`);
}

/** What is on its way in or out; left behind where nobody holds its lock. */
export function listAside(root: string): readonly string[] {
  return namesIn(root)
    .filter((name) => name.startsWith(".aside-"))
    .map((name) => join(root, name));
}

function namesIn(root: string): readonly string[] {
  return existsSync(root) ? readdirSync(root).toSorted() : [];
}

/** Undefined for one that an earlier version made and nobody has used since. */
export function readAbout(folder: string): About | undefined {
  const path = join(folder, "about.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as About) : undefined;
}

/** Under the lock of them all. */
export function writeAbout(folder: string, about: About): void {
  const text = JSON.stringify(about);
  const path = join(folder, "about.json");
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
