import { dirname, join } from "node:path";
import { flock } from "../sys/index.ts";
import type { TaskContext } from "../worker/index.ts";
import { lanePath, lanesOf, makeLane, readAbout, writeAbout, type Sharing } from "./cache-folders.ts";
import { openLock, stampUse, tryLock, untilChosen, type Held } from "./locks.ts";
import { seedFolder } from "./seed-folder.ts";

/** A cache as a step asks for it. */
export interface CacheRequest {
  readonly id: string;
  /** Path of its folder, named by `folderName`. */
  readonly folder: string;
  readonly sharing: Sharing;
  /** Folders of the snapshots that it begins with, bottom first. */
  readonly lowers: readonly string[];
}

/**
 * Takes the caches of one step as their sharing says (R02), and gives the folder that steps see of each, by the folder that
 * was asked for. As in BuildKit (solver/llbsolver/mounts): `shared` goes with other shared ones and never waits, `private`
 * takes one that nobody uses, `locked` waits until one is free; the first two get one more folder of that cache where
 * none is left. Two mounts of one cache in a step share it, by the sharing of the first. All in one order, so that
 * steps cannot wait for each other in a circle. They are given back with the stack.
 */
export async function takeCaches(
  requests: readonly CacheRequest[],
  {
    context,
    stack,
    onWait,
  }: {
    readonly context: Pick<TaskContext, "scratch" | "userNamespace" | "signal">;
    readonly stack: AsyncDisposableStack;
    /** Told after a second of waiting: the id of the cache that others hold. */
    readonly onWait?: (id: string) => void;
  },
): Promise<ReadonlyMap<string, string>> {
  const folders = new Map<string, string>();
  for (const request of requests.toSorted((a, b) => (a.folder < b.folder ? -1 : 1))) {
    if (folders.has(request.folder)) continue;
    const { held, lane } = await untilChosen(
      dirname(request.folder),
      { signal: context.signal, onWait: () => onWait?.(request.id) },
      () => tryTake(request),
    );
    stack.defer(() => {
      stampUse(held);
      held[Symbol.dispose]();
    });
    await seedFolder(lane, request, context);
    folders.set(request.folder, join(lane, "fs"));
  }
  return folders;
}

interface Taken {
  readonly held: Held;
  readonly lane: string;
}

/** Within the lock of them all: so a lock that is refused is one that a step holds, and not somebody's question. */
function tryTake({ id, folder, sharing }: CacheRequest): Taken | undefined {
  const lanes = lanesOf(folder);
  const taken = lanes.length === 0 ? takeNew(folder, 0, sharing) : takeKnown(folder, lanes, sharing);
  if (taken === undefined) return undefined;
  const { seed } = readAbout(folder) ?? {};
  writeAbout(folder, { id, ...(seed === undefined ? {} : { seed }), sharing });
  stampUse(taken.held);
  return taken;
}

function takeKnown(folder: string, lanes: readonly string[], sharing: Sharing): Taken | undefined {
  if (isTransferred(folder)) return undefined;
  if (sharing === "shared") return takeTogether(lanes) ?? takeNew(folder, lanes.length, sharing);
  for (const lane of lanes) {
    const held = tryLock(lane, "lock", "exclusive");
    if (held !== undefined) return { held, lane };
  }
  return sharing === "private" ? takeNew(folder, lanes.length, sharing) : undefined;
}

/** A folder that shared steps are in already, or else the first free one. */
function takeTogether(lanes: readonly string[]): Taken | undefined {
  let free: Taken | undefined;
  for (const lane of lanes) {
    const held = openLock(lane, "lock");
    if (flock(held.fd, "exclusive", { block: false })) {
      if (free === undefined) free = { held, lane };
      else held[Symbol.dispose]();
    } else if (flock(held.fd, "shared", { block: false })) {
      free?.held[Symbol.dispose]();
      return { held, lane };
    } else held[Symbol.dispose]();
  }
  if (free !== undefined) flock(free.held.fd, "shared", { block: false });
  return free;
}

function takeNew(folder: string, number: number, sharing: Sharing): Taken {
  const lane = makeLane(folder, number);
  const held = tryLock(lane, "lock", sharing === "shared" ? "shared" : "exclusive");
  if (held === undefined) throw new TypeError("nobody knows a folder that was just made");
  return { held, lane };
}

/** Whether the cache is being copied away, which steps wait for. */
function isTransferred(folder: string): boolean {
  const held = tryLock(lanePath(folder, 0), "transfer", "shared");
  held?.[Symbol.dispose]();
  return held === undefined;
}
