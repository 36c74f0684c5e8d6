import type { Digest } from "../oci/index.ts";
import { task } from "../worker/index.ts";
import type { MountFacts } from "./mount-layer.ts";

/** What folders take on the disk; only the worker may read all of an ordinary user's. */
export interface Measured {
  /** Of the disk's blocks, files with several names once. */
  readonly bytes: number;
  readonly files: number;
}

export const measureTask = task<{ readonly folders: readonly string[] }, readonly Measured[]>("cache-mounts.measure");

export interface PackParams {
  readonly folder: string;
  /** Which of the cache's folders, from 0. */
  readonly lane: number;
  /** Where the blob is written; nothing is there yet. */
  readonly path: string;
}

export interface Packed {
  readonly digest: Digest;
  readonly size: number;
  readonly facts: MountFacts;
}

export const packTask = task<PackParams, Packed | undefined, { readonly waiting: true }>("cache-mounts.pack");

export interface UnpackParams {
  readonly root: string;
  readonly facts: MountFacts;
  /** Path of the blob; what it was said to be is checked while it is read. */
  readonly blob: string;
  readonly digest: Digest;
  /** Take the place of a cache that has content. */
  readonly replace: boolean;
}

/** `kept`: there is such a cache with content, which stays. `in use`: a step has it. */
export type Placing = "placed" | "kept" | "in use";

export const unpackTask = task<UnpackParams, Placing>("cache-mounts.unpack");

/** Deletes what is aside and nobody holds. */
export const sweepTask = task<{ readonly root: string }, void>("cache-mounts.sweep");
