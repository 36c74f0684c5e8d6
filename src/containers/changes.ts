import { mkdirSync } from "node:fs";
import { changesTask, type FoundChanges } from "../layers/index.ts";
import type { ContainerRow } from "./container-store.ts";
import { containerPaths } from "./handle.ts";
import type { ContainerRoom } from "./room.ts";

/** What the runtime, and this room, put into a root only to mount over it: Docker keeps these in a layer that is not the container's. */
const mountPoints = ["dev", "etc", "etc/hostname", "etc/hosts", "etc/resolv.conf", "proc", "sys"];

/** What a container changed of its image's files: without what it wrote into mounts. */
export async function findChanges(
  room: ContainerRoom,
  { id, layers }: Pick<ContainerRow, "id" | "layers">,
  { signal }: { readonly signal: AbortSignal },
): Promise<FoundChanges> {
  const { upper } = containerPaths(room.root, id);
  // one that never ran has written nothing
  mkdirSync(upper, { recursive: true, mode: 0o755 });
  return await room.worker.call(changesTask, { upper, lowers: room.snapshots.fsPaths(layers), mountPoints }, { signal });
}
