import type { WireError } from "../worker/index.ts";
import type { KernelProcess } from "./kernel-process.ts";
import type { MountedImage } from "./make-mounts.ts";
import type { PlacedMount } from "./spec-place.ts";
import type { PathInfo } from "./types.ts";

/**
 * Where the files of a container are reached, for a process in the namespaces where that can be done. `process`: it runs (or waits to be
 * started), and its root is what its first process has. `stack`: nothing of it runs, and the process mounts the root for itself.
 */
export type CopyRoot =
  | { readonly kind: "process"; readonly process: KernelProcess }
  /** What the process sees at a path, with nothing of the container mounted over it. */
  | { readonly kind: "folder"; readonly path: string }
  | {
      readonly kind: "stack";
      /** An empty folder; the mount is seen by the process alone. */
      readonly mountPoint: string;
      /** What the container wrote, and the overlay's work folder. */
      readonly upper: string;
      readonly work: string;
      /** Folders of the image's snapshots, bottom first. */
      readonly lowers: readonly string[];
      readonly mounts: readonly PlacedMount[];
      /** What some of the mounts are of. */
      readonly images: readonly MountedImage[];
      readonly readonly: boolean;
    };

/** What a copying process is asked for: plain data. */
export interface CopyRequest {
  readonly root: CopyRoot;
  readonly userNamespace: boolean;
  /** In the container, absolute; trailing slashes and `/.` say that it must be a folder. */
  readonly path: string;
  /** The container's name, for messages. */
  readonly name: string;
  /** Where volumes and binds are, for messages. */
  readonly mountTargets: readonly string[];
  readonly task:
    | { readonly kind: "stat"; readonly followLink: boolean }
    /** All files, with names from the root on. */
    | { readonly kind: "export" }
    | { readonly kind: "out"; readonly followLink: boolean; readonly as?: string }
    /** `owner`: a USER of the container that all entries are given to; undefined: their own. */
    | { readonly kind: "in"; readonly owner?: string }
    /** Absolute; what is not there is as gone as it should be. */
    | { readonly kind: "remove"; readonly paths: readonly string[] };
}

export type CopyReply =
  | { readonly type: "done"; readonly info?: PathInfo }
  | { readonly type: "failure"; readonly failure: WireError };
