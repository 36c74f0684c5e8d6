import { mkdirSync } from "node:fs";
import { bindMount, mountOverlay } from "../sys/index.ts";
import type { MountedImage } from "./make-mounts.ts";

/** Mounts an image's files in this process's mount namespace, for reading alone. */
export function mountImage({ path, lowers }: MountedImage, userNamespace: boolean): void {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  const [only, ...others] = lowers;
  if (only !== undefined && others.length === 0) bindMount(only, path, { readonly: true });
  else if (only !== undefined) mountOverlay({ lowers: [...lowers], target: path, userXattr: userNamespace });
}
