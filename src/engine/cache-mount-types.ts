import type { CacheMountInfo } from "../cache-mounts/index.ts";
import type { BuildEvent } from "../events/index.ts";
import type { Descriptor } from "../oci/index.ts";
import type { ByteSink } from "./types.ts";

/** The folders of `RUN --mount=type=cache` that the store keeps. */
export interface CacheMountCommands {
  /** By id. */
  list(options?: { readonly signal?: AbortSignal }): Promise<readonly CacheMountInfo[]>;
  /**
   * Deletes the mounts with these ids or refs, or all; never one that a step has. Of names that were given, one that is not there is
   * CACHE_MOUNT_NOT_FOUND, and one in use is CACHE_MOUNT_IN_USE, with the others deleted. Returns what was deleted.
   */
  remove(names: readonly string[] | "all", options?: { readonly signal?: AbortSignal }): Promise<readonly CacheMountInfo[]>;
  /**
   * Copies mounts out of the store, as an OCI artifact with a layer for each. Each is as it stands between two steps: the copying waits for
   * steps that use it, and steps wait for the copying.
   */
  export(options: {
    readonly to: CacheMountDestination;
    /** Ids or refs; default all. */
    readonly names?: readonly string[];
    readonly signal?: AbortSignal;
    readonly onEvent?: (event: BuildEvent) => void;
  }): Promise<ExportedCacheMounts>;
  /** Takes mounts into the store. The archive is untrusted; a mount appears whole or not at all. */
  import(options: {
    readonly from: CacheMountOrigin;
    /** Ids; default all that there are. */
    readonly ids?: readonly string[];
    /** Take the place of mounts that have content; default they stay. */
    readonly replace?: boolean;
    readonly signal?: AbortSignal;
    readonly onEvent?: (event: BuildEvent) => void;
  }): Promise<readonly ImportedCacheMount[]>;
}

/** `dest` of `local` is a folder (an OCI image layout), of `tar` a file or a sink (the same layout in an archive). */
export type CacheMountDestination =
  | { readonly type: "local"; readonly dest: string }
  | { readonly type: "tar"; readonly dest: string | ByteSink }
  | { readonly type: "registry"; readonly ref: string };

export type CacheMountOrigin =
  | { readonly type: "local"; readonly src: string }
  | { readonly type: "tar"; readonly src: string | AsyncIterable<Uint8Array> }
  | { readonly type: "registry"; readonly ref: string };

export interface ExportedCacheMounts {
  /** The manifest that lists them. */
  readonly descriptor: Descriptor;
  readonly mounts: readonly {
    readonly id: string;
    readonly ref: string;
    readonly sizeBytes: number;
    readonly packedBytes: number;
  }[];
}

export interface ImportedCacheMount {
  readonly id: string;
  /** `kept`: there was one with content, which stays. `in use`: a step has it. */
  readonly outcome: "placed" | "kept" | "in use";
}
