import type { Digest, ImageConfig, Platform } from "../oci/index.ts";
import type { Networks } from "../networks/index.ts";
import type { SnapshotStore } from "../snapshots/index.ts";
import type { Leases, State } from "../state/index.ts";
import type { Volumes } from "../volumes/index.ts";
import { createContainerLock, type ContainerLock } from "./container-lock.ts";
import { openContainerStore, type ContainerStore } from "./container-store.ts";
import type { PullListener } from "./types.ts";

/** What containers are given of the house. */
export interface ContainersOptions {
  /** The store folder. */
  readonly root: string;
  readonly state: State;
  readonly leases: Leases;
  readonly snapshots: SnapshotStore;
  readonly networks: Networks;
  readonly volumes: Volumes;
  /** Folders to look for programs in: a PATH. */
  readonly path: string;
  /** OCI runtime by name or path, where the user chose one. */
  readonly runtime?: string | undefined;
  /** Finds an image, pulls it where asked to, and unpacks it. Call it under a lease. */
  readonly findImage: (name: string, options: FindImageOptions) => Promise<FoundImage>;
  /** Deletes folders, also those that belong to subordinate ids. */
  readonly removeFolders: (paths: readonly string[]) => Promise<void>;
  /** The command that runs {@link ContainerRoom} work in a process of its own: what it is to do follows as further words. */
  readonly helperCommand: readonly string[];
}

export interface FindImageOptions {
  readonly platform: string | undefined;
  readonly pull: "always" | "missing" | "never";
  readonly onPull?: PullListener | undefined;
  readonly signal: AbortSignal;
}

export interface FoundImage {
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly platform: Platform;
  /** Snapshots, bottom first. */
  readonly layers: readonly number[];
}

/** The room's own tools beside what it was given. */
export interface ContainerRoom extends ContainersOptions {
  readonly store: ContainerStore;
  readonly locked: ContainerLock;
}

export function openContainerRoom(options: ContainersOptions): ContainerRoom {
  const { state } = options;
  return { ...options, store: openContainerStore({ state }), locked: createContainerLock({ state }) };
}
