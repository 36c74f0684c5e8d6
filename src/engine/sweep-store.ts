import type { ContentStore } from "../content/index.ts";
import { removeTask } from "../ops/index.ts";
import type { SnapshotStore } from "../snapshots/index.ts";
import type { Worker } from "../worker/index.ts";

/**
 * Deletes what processes left behind that died in the middle of their work. Called after a build, never before: many
 * files deleted make ext4 slow for the next seconds. Only with a worker that runs anyway, as only it may delete all.
 */
export async function sweepStore({
  snapshots,
  content,
  worker,
}: {
  readonly snapshots: SnapshotStore;
  readonly content: ContentStore;
  readonly worker: Worker;
}): Promise<void> {
  const paths = snapshots.takeAbandoned();
  if (paths.length > 0) await worker.call(removeTask, { paths }, { signal: new AbortController().signal });
  await content.sweepIngest();
}
