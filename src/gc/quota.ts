import { VarveError } from "../errors/index.ts";
import { pruneStore } from "./prune.ts";
import type { StoreRooms } from "./rooms.ts";
import { bytesText } from "./size-text.ts";
import { readDisk, surveyStore } from "./survey.ts";
import type { PruneRule, SpaceLimits } from "./types.ts";

/** Holds a store within the limits that its settings name, while builds write to it. */
export interface Quota {
  /**
   * Runs a step within the limits: makes room before it where that is needed, watches the disk while it runs, and counts what it
   * made. When nothing more may go, the step is stopped and fails with QUOTA_EXCEEDED.
   */
  within<T>(signal: AbortSignal, step: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /**
   * Makes room for so many bytes that are going to be written, in a step. Where they would not fit although everything went that may go,
   * nothing goes, and it fails with QUOTA_EXCEEDED; `what` begins the message.
   */
  makeRoom(bytes: number, what: string): Promise<void>;
  /** What the store holds that nobody needs, of these things, goes: what a step that failed had made. */
  drop(things: ReadonlySet<string>): Promise<void>;
  /** Removes what may go until the limits hold, and does not fail where they cannot. */
  settle(): Promise<void>;
}

/** How often the disk is asked while a step runs, in milliseconds; one call of statfs(2) each. */
const watchMs = 200;

/**
 * How long a store is not looked at again while a step runs, in milliseconds at least and in times of what a look took. What is free on
 * the disk tells sooner, but not where others remove what they had meanwhile.
 */
const pauseMs = 2000;
const pauseTimes = 20;

export function createQuota(rooms: StoreRooms, limits: SpaceLimits): Quota {
  const { maxUsedBytes, minFreeBytes, maxUsedInodes, minFreeInodes } = limits;
  /** What the store took when it was last looked at, and what was free then. */
  let last:
    | { readonly bytes: number; readonly inodes: number; readonly freeBytes: number; readonly freeInodes: number }
    | undefined;
  let nextLookMs = 0;
  let checking: Promise<void> | undefined;
  let following: Promise<void> | undefined;

  const rule: PruneRule = {
    all: true,
    matches: () => true,
    keepMs: 0,
    wholeStore: true,
    why: `quota: ${quotaText(limits)}`,
    ...limits,
  };

  /** Whether the store may have come over its limits since it was looked at: what is free on the disk tells. */
  function mayBeOver(): boolean {
    if (last === undefined) return true;
    const disk = readDisk(rooms.root);
    const grownBytes = Math.max(0, last.freeBytes - disk.freeBytes);
    const grownInodes = Math.max(0, last.freeInodes - disk.freeInodes);
    return (
      (maxUsedBytes !== undefined && last.bytes + grownBytes > maxUsedBytes) ||
      (maxUsedInodes !== undefined && last.inodes + grownInodes > maxUsedInodes) ||
      (minFreeBytes !== undefined && disk.freeBytes < minFreeBytes) ||
      (minFreeInodes !== undefined && disk.totalInodes > 0 && disk.freeInodes < minFreeInodes)
    );
  }

  async function look(signal: AbortSignal): Promise<string | undefined> {
    const before = readDisk(rooms.root);
    const startMs = performance.now();
    const { records, disk } = await surveyStore(rooms, { signal });
    const bytes = records.reduce((sum, record) => sum + record.bytes, 0);
    const inodes = records.reduce((sum, record) => sum + record.inodes, 0);
    last = { bytes, inodes, freeBytes: before.freeBytes, freeInodes: before.freeInodes };
    const tookMs = performance.now() - startMs;
    nextLookMs = startMs + tookMs + Math.max(pauseMs, tookMs * pauseTimes);
    if (maxUsedBytes && bytes > maxUsedBytes) return `the store takes ${bytesText(bytes)} of ${bytesText(maxUsedBytes)}`;
    if (maxUsedInodes && inodes > maxUsedInodes) return `the store takes ${inodes} inodes of ${maxUsedInodes}`;
    if (minFreeBytes && disk.freeBytes < minFreeBytes)
      return `${bytesText(disk.freeBytes)} are free on the disk, and ${bytesText(minFreeBytes)} are to stay free`;
    if (minFreeInodes && disk.totalInodes > 0 && disk.freeInodes < minFreeInodes)
      return `${disk.freeInodes} inodes are free on the disk, and ${minFreeInodes} are to stay free`;
    return undefined;
  }

  /** Makes room where the limits are passed. */
  async function hold(): Promise<void> {
    // those who wait for it may be of several builds
    const { signal } = new AbortController();
    if ((await look(signal)) === undefined) return;
    await pruneStore(rooms, { rules: () => [rule], signal });
    const over = await look(signal);
    if (over === undefined) return;
    throw new VarveError("QUOTA_EXCEEDED", `${over}, and everything that may go is gone`, {
      hint: "remove images that nobody needs (varve image prune -a), or raise the limits in varve.toml",
    });
  }

  /** Holds the limits. One at a time; those who come meanwhile wait for its end. */
  function check(): Promise<void> {
    checking ??= hold().finally(() => (checking = undefined));
    return checking;
  }

  /** As `check`, but looks at what is there now: one that has begun may have missed it. */
  function checkAnew(): Promise<void> {
    following ??= Promise.allSettled([checking]).then(async () => {
      following = undefined;
      await check();
    });
    return following;
  }

  /** Why so many bytes more would not fit, when `gone` bytes had been removed. */
  function whyFull(bytes: number, gone: number): string | undefined {
    const { bytes: used, freeBytes } = last ?? { bytes: 0, freeBytes: 0 };
    if (maxUsedBytes && used - gone + bytes > maxUsedBytes)
      return `the store takes ${bytesText(used - gone)} of ${bytesText(maxUsedBytes)}`;
    if (minFreeBytes && freeBytes + gone - bytes < minFreeBytes)
      return `${bytesText(freeBytes + gone)} are free on the disk, and ${bytesText(minFreeBytes)} are to stay free`;
    return undefined;
  }

  return {
    async makeRoom(bytes, what) {
      const { signal } = new AbortController();
      await look(signal);
      if (whyFull(bytes, 0) === undefined) return;
      const tight = {
        ...rule,
        ...(maxUsedBytes && { maxUsedBytes: Math.max(1, maxUsedBytes - bytes) }),
        ...(minFreeBytes && { minFreeBytes: minFreeBytes + bytes }),
      };
      const { freedBytes } = await pruneStore(rooms, { rules: () => [tight], signal, dryRun: true });
      const full = whyFull(bytes, freedBytes);
      if (full !== undefined)
        throw new VarveError("QUOTA_EXCEEDED", `${what} takes ${bytesText(bytes)} or more, and without what may go ${full}`, {
          hint: "remove images that nobody needs (varve image prune -a), or raise the limits in varve.toml",
        });
      await pruneStore(rooms, { rules: () => [tight], signal });
    },
    async drop(things) {
      const { signal } = new AbortController();
      const {
        maxUsedBytes: _used,
        minFreeBytes: _free,
        maxUsedInodes: _inodes,
        minFreeInodes: _freeInodes,
        reservedBytes: _,
        ...all
      } = rule;
      await pruneStore(rooms, { rules: () => [{ ...all, matches: ({ thing }) => things.has(thing) }], signal });
    },
    async settle() {
      const { signal } = new AbortController();
      if ((await look(signal)) !== undefined) await pruneStore(rooms, { rules: () => [rule], signal });
    },
    async within(signal, step) {
      if (mayBeOver()) await check();
      const stop = new AbortController();
      const both = AbortSignal.any([signal, stop.signal]);
      let watching: Promise<void> | undefined;
      const timer = setInterval(() => {
        if (watching !== undefined || (!mayBeOver() && performance.now() < nextLookMs)) return;
        watching = check().then(
          () => (watching = undefined),
          (error: unknown) => stop.abort(error),
        );
      }, watchMs);
      try {
        const result = await step(both);
        await watching;
        stop.signal.throwIfAborted();
        await checkAnew();
        return result;
      } catch (error) {
        // whatever was stopped fails in its own words
        stop.signal.throwIfAborted();
        throw error;
      } finally {
        clearInterval(timer);
        await watching;
      }
    },
  };
}

function quotaText({ maxUsedBytes, minFreeBytes, maxUsedInodes, minFreeInodes }: SpaceLimits): string {
  const parts = [
    maxUsedBytes && `maxUsedSpace ${bytesText(maxUsedBytes)}`,
    minFreeBytes && `minFreeSpace ${bytesText(minFreeBytes)}`,
    maxUsedInodes && `maxUsedInodes ${maxUsedInodes}`,
    minFreeInodes && `minFreeInodes ${minFreeInodes}`,
  ];
  return parts.filter(Boolean).join(", ");
}
