import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import { verifyDigest, type ByteSource } from "../flow/index.ts";
import { unpackArchive } from "../layers/index.ts";
import { flock, hasCode } from "../sys/index.ts";
import type { TaskContext } from "../worker/index.ts";
import {
  asidePath,
  folderName,
  lanePath,
  lanesOf,
  listFolders,
  makeLane,
  readAbout,
  waitingName,
  writeAbout,
} from "./cache-folders.ts";
import { choosing, stampUse, tryLock } from "./locks.ts";
import type { MountFacts } from "./mount-layer.ts";
import type { Placing, UnpackParams } from "./tasks.ts";

/**
 * Makes a cache mount of a blob from elsewhere: unpacked aside, by the unpacker that no archive climbs out of, and then put
 * in its place. A cache with content stays what it is unless it is to be replaced, and one that a step uses always.
 */
export async function unpackMount(
  { root, facts, blob, digest, replace }: UnpackParams,
  { userNamespace, signal }: TaskContext<never>,
): Promise<Placing> {
  const before = await choosing(root, signal, () => judge(root, facts, replace));
  if (before !== "placed") return before;
  const aside = asidePath(root);
  // nobody who sweeps sees it without its lock
  const held = await choosing(root, signal, () => {
    mkdirSync(aside, { mode: 0o700 });
    const fd = openSync(aside, constants.O_RDONLY | constants.O_DIRECTORY);
    flock(fd, "exclusive", { block: false });
    return fd;
  });
  try {
    const fs = join(aside, "fs");
    mkdirSync(fs, { mode: 0o755 });
    const source = verifyDigest(digest)(createReadStream(blob, { highWaterMark: 1 << 20 }) as ByteSource);
    const outcome = await unpackArchive({ source, target: () => fs, userNamespace, signal });
    if (outcome === "no archive") throw new VarveError("CACHE_MOUNT_INVALID", `the blob ${digest} holds no cache mount`);
    setRoot(fs, facts);
    return await choosing(root, signal, () => {
      const now = judge(root, facts, replace);
      if (now === "placed") place(root, facts, { aside, fs });
      return now;
    });
  } finally {
    rmSync(aside, { recursive: true, force: true, maxRetries: 2 });
    closeSync(held);
  }
}

/** What would become of it: within the lock of them all. */
function judge(root: string, facts: MountFacts, replace: boolean): Placing {
  const folder = findFolder(root, facts);
  if (!existsSync(folder)) return "placed";
  for (const lane of lanesOf(folder)) {
    using held = tryLock(lane, "lock", "exclusive");
    if (held === undefined) return "in use";
  }
  const fs = join(lanePath(folder, laneOf(folder, facts)), "fs");
  return replace || !existsSync(fs) || readdirSync(fs).length === 0 ? "placed" : "kept";
}

function place(root: string, facts: MountFacts, { aside, fs }: { readonly aside: string; readonly fs: string }): void {
  const first = findFolder(root, facts);
  const folder = makeLane(first, laneOf(first, facts));
  using held = tryLock(folder, "lock", "exclusive");
  if (held === undefined) throw new TypeError("it was just judged to be free");
  const old = join(folder, "fs");
  if (existsSync(old)) renameSync(old, join(aside, "old"));
  const { id, seed } = facts;
  makeLane(first, 0);
  writeAbout(first, { ...readAbout(first), id, ...(seed === undefined ? {} : { seed }) });
  renameSync(fs, old);
  stampUse(held);
}

/** Folders of a cache have no gaps: one that would leave some is the next one. */
function laneOf(folder: string, { lane = 0 }: MountFacts): number {
  return Math.min(lane, lanesOf(folder).length);
}

/** The folder of the cache of this id and beginning: a step's, or where it waits for one. */
function findFolder(root: string, { id, seed }: MountFacts): string {
  if (seed === undefined) return join(root, folderName(id, []));
  const known = listFolders(root).find((folder) => {
    const about = readAbout(folder);
    return about?.id === id && about.seed === seed;
  });
  return known ?? join(root, waitingName(id, seed));
}

function setRoot(path: string, { mode, uid, gid }: MountFacts): void {
  try {
    chownSync(path, uid, gid);
    chmodSync(path, mode);
  } catch (cause) {
    if (!hasCode(cause, "EINVAL")) throw cause;
    throw new VarveError("MOUNT_OWNER", `a cache mount cannot belong to ${uid}:${gid}: the user has no such subordinate ids`, {
      cause,
    });
  }
}
