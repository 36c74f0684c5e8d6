import { closeSync, constants, openSync, rmSync } from "node:fs";
import { flock } from "../sys/index.ts";
import { listAside } from "./cache-folders.ts";
import { choosing } from "./locks.ts";

/** Deletes what is aside: removed caches, and what a dead process was unpacking. Who works there holds a lock on the folder. */
export async function sweepAside(root: string, signal: AbortSignal): Promise<void> {
  const free = await choosing(root, signal, () => listAside(root).filter(isFree));
  for (const path of free) rmSync(path, { recursive: true, force: true, maxRetries: 2 });
}

function isFree(path: string): boolean {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return flock(fd, "exclusive", { block: false });
  } finally {
    closeSync(fd);
  }
}
