import type { Cache } from "../cache/index.ts";
import type { ContentStore } from "../content/index.ts";
import type { ImageStore } from "../images/index.ts";
import type { LayerBlobs } from "../layers/index.ts";
import type { SnapshotStore } from "../snapshots/index.ts";
import type { Leases, State } from "../state/index.ts";
import type { Worker } from "../worker/index.ts";

/** Made with the first look at a store, so that builds need not know of it. */
export const extentsTable = `
CREATE TABLE IF NOT EXISTS extents (
  thing TEXT PRIMARY KEY, -- a snapshot: it never changes
  bytes INTEGER NOT NULL,
  inodes INTEGER NOT NULL
) WITHOUT ROWID
`;

/** The rooms that hold something, and what store care asks of them. */
export interface StoreRooms {
  readonly root: string;
  readonly state: State;
  readonly leases: Leases;
  readonly snapshots: SnapshotStore;
  readonly content: ContentStore;
  readonly cache: Cache;
  readonly images: ImageStore;
  readonly blobs: LayerBlobs;
  readonly worker: Worker;
  /** Folders of their own kind that cannot be seen from here. */
  readonly cacheMounts: {
    list(options: { readonly signal: AbortSignal }): Promise<readonly CacheMount[]>;
    /** Removes those that no step has, and returns their refs. */
    remove(refs: readonly string[], options: { readonly signal: AbortSignal }): Promise<readonly string[]>;
  };
  /** Snapshots that containers stand on, running or not, each with the name of one. */
  readonly usedSnapshots: () => ReadonlyMap<number, string>;
  /** Digests of the bodies of URLs. */
  readonly httpBodies: () => readonly string[];
  /** Deletes folders, also those that belong to subordinate ids. */
  readonly removeFolders: (paths: readonly string[], options: { readonly signal: AbortSignal }) => Promise<void>;
}

interface CacheMount {
  readonly ref: string;
  readonly id: string;
  readonly sizeBytes: number;
  readonly files: number;
  readonly lastUsedMs: number;
  readonly inUse: boolean;
}
