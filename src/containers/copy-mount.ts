import { lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeMountPoints } from "../runtime/index.ts";
import { bindMount, mount, mountFlags, mountOverlay } from "../sys/index.ts";
import { mountImage } from "./mount-image.ts";
import type { CopyRoot } from "./copy-types.ts";

/**
 * Mounts the root of a container of which nothing runs, with its volumes and binds, in this process's own mount namespace. Returns
 * where. What is written there is written for good: the caller has the container to itself.
 */
export function mountForCopy(root: CopyRoot & { readonly kind: "stack" }, userNamespace: boolean): string {
  const { mountPoint, upper, work, lowers, mounts, images, readonly } = root;
  for (const folder of [mountPoint, upper]) mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (lowers.length === 0) bindMount(upper, mountPoint);
  else {
    mkdirSync(work, { recursive: true, mode: 0o700 });
    mountOverlay({ lowers: [...lowers], upper, work, target: mountPoint, userXattr: userNamespace });
  }
  for (const image of images) mountImage(image, userNamespace);
  for (const placed of mounts) {
    const kind = placed.type === "tmpfs" || lstatSync(placed.source).isDirectory() ? "folder" : "file";
    const { resolved } = makeMountPoints(mountPoint, [{ destination: placed.target, kind }]);
    const place = join(mountPoint, resolved.get(placed.target) ?? placed.target);
    if (placed.type === "tmpfs") mount("tmpfs", place, "tmpfs", mountFlags.nosuid | mountFlags.nodev);
    else bindMount(placed.source, place, { readonly: placed.readonly, recursive: placed.nonRecursive !== true });
  }
  if (readonly) mount(undefined, mountPoint, undefined, mountFlags.bind | mountFlags.remount | mountFlags.readonly);
  return mountPoint;
}
