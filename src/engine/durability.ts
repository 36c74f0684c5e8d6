import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, unlinkSync } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import { isVarveError } from "../errors/index.ts";
import type { Parts } from "./parts.ts";

type Rooms = Pick<Parts, "root" | "state" | "snapshots" | "cache" | "images" | "content">;

/**
 * Has the snapshots that were made written to the disk, by a process that nobody waits for: syncfs(2), then an empty file whose
 * name says up to which snapshot. Where that process cannot run, they count as not written.
 */
export function startSync({ root, snapshots, path }: Pick<Parts, "root" | "snapshots" | "path">): void {
  takeMarks({ root, snapshots });
  const last = snapshots.lastUnsynced();
  if (last === undefined) return;
  mkdirSync(marksFolder(root), { recursive: true, mode: 0o700 });
  const child = spawn("sh", ["-c", 'sync -f . && : > "synced/$1"', "sh", String(last)], {
    stdio: "ignore",
    detached: true,
    cwd: root,
    env: { PATH: path },
  });
  // they are written after the next build
  child.on("error", () => undefined);
  if (child.pid !== undefined) setPriority(child.pid, 19);
  child.unref();
}

/**
 * After the machine went down with snapshots that had not been written: forgets them and what stands on them, before anybody can
 * find them; their folders are swept after the next build. Of an image that has its layers as blobs these remain. Costs one look at a table that is empty but for the last
 * builds.
 */
export function forgetUnwritten(rooms: Rooms): void {
  const { state, snapshots, cache, images, content } = rooms;
  if (snapshots.listUnsure().length === 0) return;
  takeMarks(rooms);
  state.transaction(() => {
    const lost = new Set(snapshots.listUnsure());
    const uses = (layers: readonly number[]): boolean => layers.some((id) => lost.has(id));
    const keys = cache.list().filter(({ stacks }) => stacks.some(uses));
    cache.evict(
      keys.map(({ key }) => key),
      "power loss",
    );
    for (const { id, layers, manifest } of images.list()) {
      if (layers === undefined || !uses(layers)) continue;
      const blobs = manifest && [id, ...manifest.layers.map(({ digest }) => digest)];
      if (blobs?.every((digest) => existsSync(content.pathOf(digest))) === true) images.dropLayers(id);
      else images.forget(id);
    }
    snapshots.forget([...lost]);
    snapshots.settleUnsure();
  });
}

/** Believes what the processes of {@link startSync} left. */
function takeMarks({ root, snapshots }: Pick<Rooms, "root" | "snapshots">): void {
  const folder = marksFolder(root);
  if (!existsSync(folder)) return;
  const marks = readdirSync(folder).map(Number).filter(Number.isSafeInteger);
  if (marks.length === 0) return;
  try {
    snapshots.markSynced(Math.max(...marks));
  } catch (error) {
    // whoever finds room the next time believes them then
    if (isVarveError(error) && error.code === "DISK_FULL") return;
    throw error;
  }
  for (const mark of marks) {
    try {
      unlinkSync(join(folder, String(mark)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}

function marksFolder(root: string): string {
  return join(root, "synced");
}
