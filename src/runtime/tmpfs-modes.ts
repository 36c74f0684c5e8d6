import { closeSync, constants, fstatSync } from "node:fs";
import { hasCode, openFlags, openInRoot, openPath } from "../sys/index.ts";
import type { ContainerMount } from "./container-process.ts";
import type { OciMount } from "./oci-spec.ts";

/** Of a tmpfs where nothing was: the kernel's own default. */
export const freshMode = 0o1777;

/**
 * The permissions of each tmpfs mount, by destination: those of the folder that it hides, as runc sets them for BuildKit (crun does
 * not by itself). To be asked before missing mount points are made.
 */
export function tmpfsModes(rootPath: string, mounts: readonly ContainerMount[]): Map<string, number> {
  const modes = new Map<string, number>();
  mounts.forEach(({ type, destination }, index) => {
    if (type !== "tmpfs") return;
    const cover = mounts
      .slice(0, index)
      .findLast((earlier) => destination.startsWith(`${earlier.destination.replace(/\/+$/, "")}/`));
    if (cover === undefined) modes.set(destination, modeOf(rootPath, destination));
    else
      modes.set(
        destination,
        cover.type === "bind" ? modeOf(cover.source, destination.slice(cover.destination.length)) : freshMode,
      );
  });
  return modes;
}

export function withMode(mount: OciMount, mode: number | undefined): OciMount {
  return mode === undefined ? mount : { ...mount, options: [...mount.options, `mode=${mode.toString(8).padStart(4, "0")}`] };
}

/** The permissions of a folder in a root; those of a fresh tmpfs where there is none. */
export function modeOf(rootPath: string, path: string): number {
  const root = openPath(rootPath);
  try {
    const folder = openInRoot(root, path, { flags: openFlags.path | constants.O_DIRECTORY });
    try {
      return fstatSync(folder).mode & 0o7777;
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return freshMode;
    throw error;
  } finally {
    closeSync(root);
  }
}
