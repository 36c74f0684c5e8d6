import type { ContainerConfig as ImageDefaults, Digest, ImageConfig, Platform } from "../oci/index.ts";
import type { Networks } from "../networks/index.ts";
import type { SnapshotStore } from "../snapshots/index.ts";
import type { Leases, State } from "../state/index.ts";
import type { Volumes } from "../volumes/index.ts";
import { createContainerLock, type ContainerLock } from "./container-lock.ts";
import { openCopyHolds, type CopyHolds } from "./copy-holds.ts";
import { openEventLog, type EventLog } from "./event-log.ts";
import { openContainerStore, type ContainerStore } from "./container-store.ts";
import type { Worker } from "../worker/index.ts";
import type { CommitOptions, PullListener } from "./types.ts";

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
  /** Looks at what containers wrote, as root of the namespace that has it. */
  readonly worker: Worker;
  /** Makes an image of the layers of another one and an overlay's upper folder. */
  readonly keepImage: (image: NewImage) => Promise<Digest>;
  /** Deletes folders, also those that belong to subordinate ids. */
  readonly removeFolders: (paths: readonly string[]) => Promise<void>;
  /** The command that runs {@link ContainerRoom} work in a process of its own: what it is to do follows as further words. */
  readonly helperCommand: readonly string[];
}

/** What an image is made of. */
export interface NewImage extends Pick<CommitOptions, "name" | "author" | "message" | "changes"> {
  /** The image below; it may be gone. */
  readonly imageId: Digest;
  /** Its snapshots, bottom first. */
  readonly layers: readonly number[];
  readonly upper: string;
  /** Names in `upper` that are no part of it. */
  readonly leaveOut: readonly string[];
  /** Before `changes`. */
  readonly config: ImageDefaults;
  readonly createdBy: string;
  readonly signal: AbortSignal;
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
  readonly events: EventLog;
  readonly copies: CopyHolds;
}

export function openContainerRoom(options: ContainersOptions): ContainerRoom {
  const { state } = options;
  return {
    ...options,
    store: openContainerStore({ state }),
    locked: createContainerLock({ state }),
    events: openEventLog({ state }),
    copies: openCopyHolds({ state }),
  };
}
