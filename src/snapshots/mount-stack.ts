import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { bindMount, mountOverlay, unmount } from "../sys/index.ts";

export interface MountedStack extends Disposable {
  /** Where the root is mounted. */
  readonly path: string;
}

/**
 * Mounts a stack at a fresh folder of `scratch`. With `snapshot` (the folder of an active snapshot) writes go to its `fs`
 * folder, which is made if missing; without, the mount is read-only. Only for the worker: the mount is seen in this
 * mount namespace alone and ends with it at the latest.
 */
export function mountStack(options: {
  /** Upper folders of the snapshots, bottom first. */
  readonly lowers: readonly string[];
  readonly snapshot?: string;
  readonly scratch: string;
  readonly userXattr: boolean;
}): MountedStack {
  const { lowers, snapshot, scratch, userXattr } = options;
  const path = freshFolder(scratch, "root");
  if (snapshot !== undefined) {
    const upper = join(snapshot, "fs");
    mkdirSync(upper, { recursive: true, mode: 0o755 });
    if (lowers.length === 0) {
      bindMount(upper, path, {});
    } else {
      const work = join(snapshot, "work");
      mkdirSync(work, { recursive: true, mode: 0o700 });
      mountOverlay({ lowers: [...lowers], upper, work, target: path, userXattr });
    }
  } else if (lowers.length >= 2) {
    mountOverlay({ lowers: [...lowers], target: path, userXattr });
  } else {
    bindMount(lowers[0] ?? freshFolder(scratch, "empty"), path, { readonly: true });
  }
  return { path, [Symbol.dispose]: () => unmount(path, { detach: true }) };
}

let count = 0;

function freshFolder(scratch: string, name: string): string {
  const path = join(scratch, `${name}-${(count += 1)}`);
  mkdirSync(path, { mode: 0o755 });
  return path;
}
