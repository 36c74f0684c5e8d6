import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../sys/index.ts";
import type { ContainerRow } from "./container-store.ts";
import { containerPaths } from "./handle.ts";
import type { ContainerRoom } from "./room.ts";

/** What a container wrote, and what its image has, in bytes. Without root folders that only its own users may read count as empty. */
export async function measureContainer(
  room: Pick<ContainerRoom, "root" | "snapshots">,
  { id, layers }: ContainerRow,
): Promise<{ readonly writtenBytes: number; readonly imageBytes: number }> {
  const imageBytes = layers.reduce((sum, layer) => sum + (room.snapshots.get(layer)?.diffSize ?? 0), 0);
  return { writtenBytes: await measureFolder(containerPaths(room.root, id).upper, new Set()), imageBytes };
}

async function measureFolder(folder: string, seen: Set<number>): Promise<number> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (hasCode(error, "ENOENT", "EACCES", "ENOTDIR")) return 0;
    throw error;
  }
  let bytes = 0;
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await measureFolder(path, seen);
    else if (entry.isFile()) {
      const stat = await lstat(path).catch(() => undefined); // removed meanwhile
      if (stat === undefined || seen.has(stat.ino)) continue;
      seen.add(stat.ino);
      bytes += stat.size;
    }
  }
  return bytes;
}
