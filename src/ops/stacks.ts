import { realpathSync } from "node:fs";
import { isStack, type Ref, type SnapshotStore, type StackRef } from "../snapshots/index.ts";
import type { Worker } from "../worker/index.ts";
import { removeTask, type WireRef } from "./tasks.ts";

export interface StackTools {
  readonly snapshots: SnapshotStore;
  readonly worker: Worker;
}

/** Folders of the user's are named by their real paths: the worker reads them as they are to this process. */
export function toWireRef(ref: Ref, snapshots: SnapshotStore): WireRef {
  if (isStack(ref)) return { kind: "stack", lowers: snapshots.fsPaths(ref.layers) };
  return { ...ref, path: realpathSync(ref.path) };
}

/**
 * Has the worker write one new snapshot on top of a stack. The snapshot is committed when the work is done, and is gone
 * when it failed.
 */
export async function writeSnapshot(
  base: readonly number[],
  { snapshots, worker }: StackTools,
  write: (snapshotPath: string) => Promise<unknown>,
  how: { readonly under?: number } = {},
): Promise<StackRef> {
  const active = snapshots.create(base, how);
  try {
    await write(active.path);
  } catch (error) {
    await discardSnapshot(active, worker);
    throw error;
  }
  const { id } = active.commit();
  return { kind: "stack", layers: [...base, id] };
}

/** Deletes the folder of an active snapshot, then its row: a crash between the two leaves a row whose owner is dead. */
export async function discardSnapshot(active: { readonly path: string; discard(): void }, worker: Worker): Promise<void> {
  await worker.call(removeTask, { paths: [active.path] }, { signal: new AbortController().signal });
  active.discard();
}
