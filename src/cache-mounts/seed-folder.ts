import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { plainCopy } from "../llb/index.ts";
import { mountStack } from "../snapshots/index.ts";
import { flock } from "../sys/index.ts";
import { contentDigest, copyInto, openDirectoryTree, wholePath } from "../tree/index.ts";
import type { TaskContext } from "../worker/index.ts";
import { lanesOf, makeLane, readAbout, waitingName, writeAbout } from "./cache-folders.ts";
import { choosing, openLock, pollMs, tryLock } from "./locks.ts";
import type { CacheRequest } from "./take-caches.ts";

type Worked = Pick<TaskContext, "scratch" | "userNamespace" | "signal">;

/**
 * Gives a new folder of a cache what it begins with: a copy, made aside and renamed. No overlay: two steps may write into
 * one cache at the same time, and two mounts of one upper folder are undefined. (Linux, overlayfs.rst, "Sharing and copying
 * layers".) Where a cache with this very beginning was imported, that one takes its place. Whoever calls holds the folder.
 */
export async function seedFolder(lane: string, { id, folder, lowers }: CacheRequest, context: Worked): Promise<void> {
  const fs = join(lane, "fs");
  if (existsSync(fs)) return;
  using held = openLock(lane, "seed");
  while (!flock(held.fd, "exclusive", { block: false })) await sleep(pollMs, undefined, { signal: context.signal });
  if (existsSync(fs)) return;
  const fresh = join(lane, "new");
  rmSync(fresh, { recursive: true, force: true });
  if (lowers.length > 0) {
    const seed = digestOfStack(lowers, context);
    const adopted = lane === folder && (await adopt(id, seed, { folder, fs, signal: context.signal }));
    if (adopted) return;
    await choosing(dirname(folder), context.signal, () => writeAbout(folder, { ...readAbout(folder), id, seed }));
  }
  mkdirSync(fresh, { mode: 0o755 });
  chmodSync(fresh, 0o755);
  if (lowers.length > 0) await copyRoot(lowers, fresh, context);
  renameSync(fresh, fs);
}

/** Takes the content of an imported cache. */
async function adopt(
  id: string,
  seed: string,
  { folder, fs, signal }: { readonly folder: string; readonly fs: string; readonly signal: AbortSignal },
): Promise<boolean> {
  const root = dirname(folder);
  const waiting = join(root, waitingName(id, seed));
  return await choosing(root, signal, () => {
    if (lanesOf(waiting).length === 0) return false;
    using held = tryLock(waiting, "lock", "exclusive");
    if (held === undefined || !existsSync(join(waiting, "fs"))) return false;
    writeAbout(folder, { ...readAbout(folder), id, seed });
    renameSync(join(waiting, "fs"), fs);
    const others = lanesOf(waiting).slice(1);
    for (const other of others) {
      const lane = makeLane(folder, lanesOf(folder).length);
      if (existsSync(join(other, "fs"))) renameSync(join(other, "fs"), join(lane, "fs"));
    }
    for (const left of [...others, waiting]) rmSync(left, { recursive: true, force: true });
    return true;
  });
}

function digestOfStack(lowers: readonly string[], { scratch, userNamespace }: Worked): string {
  using mounted = mountStack({ lowers, scratch, userXattr: userNamespace });
  const tree = openDirectoryTree(mounted.path, { resetOwner: false });
  try {
    return contentDigest(tree, wholePath("/"));
  } finally {
    tree.close();
  }
}

async function copyRoot(lowers: readonly string[], target: string, { scratch, userNamespace, signal }: Worked): Promise<void> {
  using mounted = mountStack({ lowers, scratch, userXattr: userNamespace });
  const tree = openDirectoryTree(mounted.path, { resetOwner: false });
  try {
    await copyInto(target, tree, everything, { signal });
  } finally {
    tree.close();
  }
  const { uid, gid, mode } = lstatSync(mounted.path);
  chownSync(target, uid, gid);
  chmodSync(target, mode & 0o7777);
}

const everything = { ...plainCopy, src: "/", dest: "/", dirCopyContents: true };
