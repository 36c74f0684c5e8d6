import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FileCopy } from "../llb/index.ts";
import { mountStack } from "../snapshots/index.ts";
import { flock } from "../sys/index.ts";
import { copyInto, openDirectoryTree } from "../tree/index.ts";
import type { TaskContext } from "../worker/index.ts";
import type { ExecMount } from "./tasks.ts";

export type CacheSource = Extract<ExecMount["source"], { kind: "cache" }>;

/** How long between two tries for a lock that another process holds, in milliseconds. */
const lockPollMs = 50;

/**
 * Locks the cache mounts of one step as their sharing says (R02), and gives the folder of each by the folder that was asked
 * for: `shared` goes with others, `locked` waits for them, `private` takes the first folder that nobody uses. Two mounts
 * of one cache in a step share it. All in one order, so that steps cannot wait for each other in a circle. Locks end with
 * the stack, and with the process at the latest.
 */
export async function lockCaches(
  caches: readonly CacheSource[],
  context: TaskContext<never>,
  stack: AsyncDisposableStack,
): Promise<ReadonlyMap<string, string>> {
  const folders = new Map<string, string>();
  for (const cache of [...caches].sort((a, b) => (a.folder < b.folder ? -1 : 1))) {
    if (folders.has(cache.folder)) continue;
    const folder = await lockCache(cache, context, stack);
    await seed(folder, cache.lowers, context);
    folders.set(cache.folder, join(folder, "fs"));
  }
  return folders;
}

async function lockCache(
  { folder, sharing }: CacheSource,
  { signal }: TaskContext<never>,
  stack: AsyncDisposableStack,
): Promise<string> {
  for (let lane = 0; ; lane += 1) {
    const candidate = sharing === "private" && lane > 0 ? `${folder}-${lane}` : folder;
    const held = await lockFile(candidate, "lock", sharing === "shared" ? "shared" : "exclusive", {
      wait: sharing !== "private",
      signal,
    });
    if (held === undefined) continue;
    stack.defer(() => closeSync(held));
    return candidate;
  }
}

/** An open file with a lock on it; undefined where another has it and there is no waiting. */
async function lockFile(
  folder: string,
  name: string,
  kind: "shared" | "exclusive",
  { wait, signal }: { readonly wait: boolean; readonly signal: AbortSignal },
): Promise<number | undefined> {
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const fd = openSync(join(folder, name), constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    for (;;) {
      if (flock(fd, kind, { block: false })) return fd;
      if (!wait) break;
      await sleep(lockPollMs, undefined, { signal });
    }
  } catch (error) {
    closeSync(fd);
    signal.throwIfAborted();
    throw error;
  }
  closeSync(fd);
  return undefined;
}

/**
 * Gives a new cache what it begins with: a copy, made aside and renamed. No overlay: two steps may write into one cache at
 * the same time, and two mounts of one upper folder are undefined. (Linux, overlayfs.rst, "Sharing and copying layers")
 */
async function seed(folder: string, lowers: readonly string[], context: TaskContext<never>): Promise<void> {
  const fs = join(folder, "fs");
  if (existsSync(fs)) return;
  const held = await lockFile(folder, "seed", "exclusive", { wait: true, signal: context.signal });
  try {
    if (existsSync(fs)) return;
    const fresh = join(folder, "new");
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { mode: 0o755 });
    chmodSync(fresh, 0o755);
    if (lowers.length > 0) await copyRoot(lowers, fresh, context);
    renameSync(fresh, fs);
  } finally {
    if (held !== undefined) closeSync(held);
  }
}

async function copyRoot(
  lowers: readonly string[],
  target: string,
  { scratch, userNamespace, signal }: TaskContext<never>,
): Promise<void> {
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

const everything: FileCopy = {
  src: "/",
  dest: "/",
  mode: -1,
  modeStr: "",
  followSymlink: false,
  dirCopyContents: true,
  attemptUnpack: false,
  createDestPath: true,
  allowWildcard: false,
  allowEmptyWildcard: false,
  timestamp: -1,
  includePatterns: [],
  excludePatterns: [],
  alwaysReplaceExistingDestPaths: false,
  requiredPaths: [],
};
