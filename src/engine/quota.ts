import { isVarveError } from "../errors/index.ts";
import type { Quota } from "../gc/index.ts";
import { snapshotThing } from "../snapshots/index.ts";
import type { Parts } from "./parts.ts";

const opened = new WeakMap<Parts, Promise<Quota | undefined>>();

function quotaOf(parts: Parts): Promise<Quota | undefined> {
  let quota = opened.get(parts);
  if (!quota) opened.set(parts, (quota = import("./store-care.ts").then(({ openQuota }) => openQuota(parts))));
  return quota;
}

/** Runs work that writes to the store within the limits of varve.toml. Where there are none it is just run. */
export async function withinQuota<T>(parts: Parts, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const quota = parts.storeSettings === undefined ? undefined : await quotaOf(parts);
  return quota ? await quota.within(signal, work) : await work(signal);
}

/** What brings images into the store, within its limits. */
export interface LimitedWork {
  /** Says how many bytes are going to be written, before they are; fails with QUOTA_EXCEEDED where they will not fit. */
  readonly makeRoom: (bytes: number, what: string) => Promise<void>;
  /** Runs what writes them. What is named after it has its room. */
  readonly within: <T>(signal: AbortSignal, write: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

/**
 * Runs work that brings images into the store within its limits. Where these end it, what it had brought by then goes again. The work
 * holds its lease itself, and gives it up at its end.
 */
export async function bringWithinQuota<T>(parts: Parts, work: (limited: LimitedWork) => Promise<T>): Promise<T> {
  const quota = parts.storeSettings === undefined ? undefined : await quotaOf(parts);
  if (quota === undefined)
    return await work({ makeRoom: async () => undefined, within: async (signal, write) => await write(signal) });
  const before = await listThings(parts);
  try {
    return await work({
      makeRoom: async (bytes, what) => quota.makeRoom(bytes, what),
      within: async (signal, write) => quota.within(signal, write),
    });
  } catch (error) {
    if (isVarveError(error) && error.code === "QUOTA_EXCEEDED")
      await quota.drop(new Set([...(await listThings(parts))].filter((thing) => !before.has(thing))));
    throw error;
  }
}

async function listThings({ content, snapshots }: Parts): Promise<Set<string>> {
  const blobs = (await content.list()).map((digest) => `blob/${digest}`);
  return new Set([...blobs, ...snapshots.list().map(({ id }) => snapshotThing(id))]);
}

/** After builds: what failed ones left above the limits goes now that nobody claims it. */
export async function settleQuota(parts: Parts): Promise<void> {
  await (await opened.get(parts))?.settle();
}
