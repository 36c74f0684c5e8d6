import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { VarveError } from "../errors/index.ts";
import type { ContainerRow } from "./container-store.ts";
import { findContainer } from "./find-container.ts";
import { isOver, handleOf } from "./observe.ts";
import type { ContainerRoom } from "./room.ts";

/** Stops or continues all processes of a container by its cgroup. CONTAINER_NO_CGROUPS where it has none. */
export async function setFrozen(row: ContainerRow, root: string, frozen: boolean): Promise<void> {
  const handle = handleOf(row, root);
  if (handle === undefined) return;
  if (row.run.cgroupsPath === undefined || row.run.cgroupsPath === "") {
    throw new VarveError("CONTAINER_NO_CGROUPS", `cannot pause container ${row.id}: it has no cgroup, which needs root here`, {
      hint: "without root containers have cgroups only where cgroups of version 2 are delegated to the user",
    });
  }
  const [program, ...args] = [...handle.enter, ...handle.runtime, frozen ? "pause" : "resume", row.id];
  await promisify(execFile)(program, args);
}

export async function pauseContainer(room: ContainerRoom, name: string): Promise<void> {
  await change(room, name, true);
}

export async function unpauseContainer(room: ContainerRoom, name: string): Promise<void> {
  await change(room, name, false);
}

async function change(room: ContainerRoom, name: string, frozen: boolean): Promise<void> {
  const { id } = findContainer(room.store, name);
  await room.locked(id, async () => {
    const row = findContainer(room.store, id);
    const { status } = row.run;
    if (frozen && status === "paused" && !isOver(row))
      throw new VarveError("CONTAINER_CONFLICT", `container ${id} is already paused`);
    if (!frozen && status !== "paused") throw new VarveError("CONTAINER_CONFLICT", `Container ${id} is not paused`);
    if (isOver(row) || (status !== "running" && status !== "paused"))
      throw new VarveError("CONTAINER_CONFLICT", `container ${id} is not running`);
    await setFrozen(row, room.root, frozen);
    room.store.change(id, (run) => ({ ...run, status: frozen ? "paused" : "running" }));
    room.events.tell(row, frozen ? "pause" : "unpause");
  });
}
