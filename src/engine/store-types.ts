import type { RecordType } from "../gc/index.ts";
import type { Digest } from "../oci/index.ts";

/** What a store holds, and the care of it. */
export interface StoreCare {
  /** Everything in the store folder. The bytes of all records together are what `du` counts there. */
  usage(options?: { readonly filters?: readonly string[]; readonly signal?: AbortSignal }): Promise<StoreUsage>;
  /** Removes what nobody needs from the cache. */
  prune(request?: PruneRequest): Promise<PruneReport>;
  /** Forgets images without a name, or all of them. What cached results stand on goes with {@link StoreCare.prune} only. */
  pruneImages(request?: ImagePrune): Promise<PrunedImages>;
}

export interface UsageRecord {
  /** 25 lower-case letters and digits; the same for as long as the record lives. */
  readonly id: string;
  readonly type: RecordType;
  readonly description: string;
  /** Ids of the records that it stands on. */
  readonly parents: readonly string[];
  readonly createdMs: number;
  readonly lastUsedMs: number | undefined;
  readonly usageCount: number;
  /** Allocated on the disk. */
  readonly bytes: number;
  readonly inodes: number;
  readonly mutable: boolean;
  /** An image needs it. */
  readonly shared: boolean;
  /** Why it cannot go now: an image, a running build, the store itself. */
  readonly inUseBy?: string;
}

export interface StoreUsage {
  readonly records: readonly UsageRecord[];
  readonly images: {
    /** All of them together, what they share once. */
    readonly bytes: number;
    /** Newest first. */
    readonly images: readonly {
      readonly id: Digest;
      readonly names: readonly string[];
      readonly createdMs: number;
      readonly sharedBytes: number;
      readonly uniqueBytes: number;
    }[];
  };
  readonly disk: {
    readonly totalBytes: number;
    readonly freeBytes: number;
    readonly totalInodes: number;
    readonly freeInodes: number;
  };
}

export interface PruneRequest {
  /** Also internal records, and cached results whose files images need: those stay on the disk and are forgotten. */
  readonly all?: boolean;
  /** `type=regular`, `description~=…`, `shared=false` …; all must hold. */
  readonly filters?: readonly string[];
  /** What was used within this time stays, in milliseconds. */
  readonly keepMs?: number;
  /** With one of these only as much goes as it takes, least recently used first. */
  readonly reservedBytes?: number;
  readonly maxUsedBytes?: number;
  readonly minFreeBytes?: number;
  /** Only say what would go. */
  readonly dryRun?: boolean;
  /** What explanations say later of results that are gone. Default `builder prune`. */
  readonly why?: string;
  readonly signal?: AbortSignal;
}

export interface PruneReport {
  /** In the order in which they went. */
  readonly removed: readonly (UsageRecord & { readonly reason: string; readonly freedBytes: number })[];
  readonly freedBytes: number;
}

export interface ImagePrune {
  /** Also images with names. */
  readonly all?: boolean;
  readonly createdBeforeMs?: number;
  readonly labels?: readonly { readonly key: string; readonly value?: string; readonly not?: boolean }[];
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface PrunedImages {
  readonly removed: readonly { readonly id: string; readonly names: readonly string[] }[];
  /** Of what they alone needed and no cached result stands on. */
  readonly freedBytes: number;
}
