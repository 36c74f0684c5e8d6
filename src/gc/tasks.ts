import { task } from "../worker/index.ts";

/** What a folder or a file takes on the disk. */
export interface Extent {
  /** Allocated bytes; a file with several names counts once in a call. */
  readonly bytes: number;
  readonly inodes: number;
  /** Some of its files have names outside of it: what it takes by itself changes with theirs. */
  readonly linked: boolean;
}

export interface MeasureParams {
  readonly items: readonly {
    readonly path: string;
    /** Absolute paths that are not looked into. */
    readonly without?: readonly string[];
  }[];
}

/** Only the worker may read all of an ordinary user's snapshots. */
export const measureTask = task<MeasureParams, readonly Extent[]>("gc.measure");
