import { removeTask } from "../ops/index.ts";
import type { Parts } from "./parts.ts";

/**
 * Deletes what processes left behind that died in the middle of their work: snapshots in the making, folders and blobs whose
 * rows are gone already, blobs that were being written, leases. Called after a build, never before: many files deleted make
 * ext4 slow for the next seconds. Only with a worker that runs anyway, as only it may delete all.
 */
export async function sweepStore({
  snapshots,
  content,
  leases,
  worker,
  state,
}: Pick<Parts, "snapshots" | "content" | "leases" | "worker" | "state">): Promise<void> {
  leases.sweep();
  const paths = [...new Set([...snapshots.takeAbandoned(), ...snapshots.listOrphans()])];
  if (paths.length > 0) await worker.call(removeTask, { paths }, { signal: new AbortController().signal });
  await content.emptyTrash();
  await content.sweepIngest();
  state.keepReserve();
}
