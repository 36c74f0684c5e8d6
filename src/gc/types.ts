/** BuildKit's kinds of cache. `internal` and `frontend` go only where all is asked for. */
export const recordTypes = ["internal", "frontend", "source.local", "source.git.checkout", "exec.cachemount", "regular"] as const;

export type RecordType = (typeof recordTypes)[number];

/** Something in the store that takes room and can be removed by itself, or the rest that cannot. */
export interface StoreRecord {
  /** 25 lower-case letters and digits. */
  readonly id: string;
  /** What it is to the rooms that hold it: `snapshot/12`, `blob/sha256:…`, `cachemount/REF`, `git/NAME`, `store/rest`. */
  readonly thing: string;
  readonly type: RecordType;
  readonly description: string;
  /** Ids of the records that this one means nothing without. */
  readonly parents: readonly string[];
  readonly createdMs: number;
  /** Undefined for what was never used again since it was made. */
  readonly lastUsedMs: number | undefined;
  /** Builds that used it again. */
  readonly usageCount: number;
  /** Allocated on the disk. */
  readonly bytes: number;
  readonly inodes: number;
  readonly mutable: boolean;
  /** An image of the store needs it: its files stay, and only the cache can forget it. */
  readonly sharedWith: string | undefined;
  /** Who uses it at this moment; it can neither go nor be forgotten. */
  readonly holder: string | undefined;
  /** Whether the cache has a result that stands on it. */
  readonly cached: boolean;
}

/** Bounds in bytes and inodes; undefined: none. */
export interface SpaceLimits {
  /** So much is never taken away. */
  readonly reservedBytes?: number;
  readonly maxUsedBytes?: number;
  readonly minFreeBytes?: number;
  readonly maxUsedInodes?: number;
  readonly minFreeInodes?: number;
}

/** One rule of garbage collection. Without limits all that the rest of it allows goes. */
export interface PruneRule extends SpaceLimits {
  /** Also what is internal, and cached results whose files an image needs. */
  readonly all: boolean;
  readonly matches: (record: StoreRecord) => boolean;
  /** The conditions of `matches` as text, one of which must be met; absent where there are none, or they came as flags. */
  readonly filters?: readonly string[];
  /** What was used within this time stays. */
  readonly keepMs: number;
  /** Limits count the whole store, images too; else only what is not shared with images. */
  readonly wholeStore: boolean;
  /** Stands in tombstones and before the reason of each record, e.g. `builder prune`. */
  readonly why: string;
}

/** The disk under the store. */
export interface DiskFacts {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** 0 where the file system counts no inodes. */
  readonly totalInodes: number;
  readonly freeInodes: number;
}

export interface Victim {
  readonly record: StoreRecord;
  /** Why just this one goes, as half a sentence. */
  readonly reason: string;
  /** The rule's. */
  readonly why: string;
  /** False: an image needs the files, and only the cache forgets them. */
  readonly frees: boolean;
}
