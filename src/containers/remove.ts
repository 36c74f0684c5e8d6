import { existsSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import type { ContainerRow } from "./container-store.ts";
import { endHelpers, endProcesses } from "./end-processes.ts";
import { findContainer } from "./find-container.ts";
import { containerPaths } from "./handle.ts";
import { isOver } from "./observe.ts";
import type { ContainerRoom } from "./room.ts";
import { findVolumeUsers } from "./uses.ts";

export interface RemoveOptions {
  /** Also one that runs: it is killed. */
  readonly force?: boolean;
  /** With its anonymous volumes. */
  readonly volumes?: boolean;
}

export async function removeContainer(
  room: ContainerRoom,
  name: string,
  { force = false, volumes = false }: RemoveOptions,
): Promise<void> {
  const { id } = findContainer(room.store, name);
  await room.locked(id, async () => {
    const row = room.store.get(id);
    if (row === undefined) throw new VarveError("CONTAINER_NOT_FOUND", `No such container: ${name}`);
    const { status } = row.run;
    if (!force && (status === "restarting" || ((status === "running" || status === "paused") && !isOver(row)))) {
      const doing =
        status === "paused"
          ? "container is paused and must be unpaused first"
          : `container is ${status}: stop the container before removing or force remove`;
      throw new VarveError("CONTAINER_CONFLICT", `cannot remove container "${name.replace(/^\//, "")}": ${doing}`);
    }
    await removeLocked(room, row, { volumes });
  });
}

/** Removes a container with everything that is its own. Only with its lock. */
export async function removeLocked(
  room: ContainerRoom,
  row: ContainerRow,
  { volumes }: { readonly volumes: boolean },
): Promise<void> {
  const { id } = row;
  room.store.change(id, (run) => ({ ...run, status: "removing", stoppedByHand: true }));
  await room.copies.end(id);
  await endHelpers(row.run);
  await endProcesses(row.run);
  await room.networks.detach(id);
  const { folder } = containerPaths(room.root, id);
  if (existsSync(folder)) await room.removeFolders([folder]);
  // Who waits until it is gone goes on with the row's end, and finds no volume of it and its last event.
  try {
    if (volumes) await removeAnonymous(room, row);
  } finally {
    room.events.tell(row, "destroy");
    room.store.forget(id);
  }
}

/** Volumes without a name go with their container, unless another one has them. */
async function removeAnonymous(room: ContainerRoom, { id, mounts }: ContainerRow): Promise<void> {
  const usedBy = (volume: string): readonly string[] => findVolumeUsers(room, volume).filter((user) => user !== id);
  for (const { type, source } of mounts) {
    if (type !== "volume" || source === undefined || !room.volumes.has(source)) continue;
    if (!room.volumes.get(source).anonymous || usedBy(source).length > 0) continue;
    await room.volumes.remove(source, { usedBy });
  }
}
