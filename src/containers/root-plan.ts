import type { Runtime } from "../runtime/index.ts";
import type { ContainerPaths } from "./handle.ts";
import type { MountedImage } from "./make-mounts.ts";
import type { SpecPlace } from "./spec-place.ts";
import type { ContainerConfig } from "./types.ts";

/** What the entry into a container's mount namespace is told: plain data. */
export interface RootPlan {
  readonly config: ContainerConfig;
  readonly paths: ContainerPaths;
  /** Upper folders of the image's snapshots, bottom first. */
  readonly lowers: readonly string[];
  readonly runtime: Runtime;
  readonly userNamespace: boolean;
  readonly place: Omit<SpecPlace, "user" | "facts">;
  readonly images: readonly MountedImage[];
  /** Folders of volumes that were never used, which take what the image has at their places. */
  readonly seeds: readonly { readonly source: string; readonly target: string }[];
}

/** Where the plan lies in a container's folder: too long for a command line. */
export function planPath({ folder }: Pick<ContainerPaths, "folder">): string {
  return `${folder}/plan.json`;
}
