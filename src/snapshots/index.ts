/**
 * Snapshots: immutable folders that each hold what one step changed, in overlay's own form (whiteouts, opaque marks), and
 * the stacks made of them. The store (rows and folder names) is for the main process and touches no file inside a
 * snapshot; mounting a stack is for the worker process, inside its own mount namespace.
 */
export {
  openSnapshots,
  snapshotThing,
  snapshotsSchema,
  type ActiveSnapshot,
  type ListedSnapshot,
  type Snapshot,
  type SnapshotStore,
} from "./snapshot-store.ts";
export type { AwayLayer } from "./away-layers.ts";
export { mountStack, type MountedStack } from "./mount-stack.ts";
export { isStack, type FolderRef, type Ref, type StackRef } from "./ref.ts";
