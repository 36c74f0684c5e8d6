import { isVarveError, VarveError } from "../errors/index.ts";
import type { ContainerConfig as ImageDefaults, Digest } from "../oci/index.ts";
import { findChanges } from "./changes.ts";
import type { ContainerRow } from "./container-store.ts";
import { findContainer } from "./find-container.ts";
import { pauseContainer, unpauseContainer } from "./freeze.ts";
import { containerPaths } from "./handle.ts";
import type { ContainerRoom } from "./room.ts";
import type { CommitOptions, ContainerConfig } from "./types.ts";

/** Makes an image of a container: its image's layers, and one more with what it changed. */
export async function commitContainer(
  room: ContainerRoom,
  name: string,
  { signal = new AbortController().signal, pause, ...how }: CommitOptions,
): Promise<{ readonly id: Digest; readonly warnings: readonly string[] }> {
  const row = findContainer(room.store, name);
  const warnings: string[] = [];
  const paused = pause !== false && (await tryPause(room, row, { must: pause === true, warnings }));
  try {
    const { leftOut } = await findChanges(room, row, { signal });
    const id = await room.keepImage({
      imageId: row.config.imageId,
      layers: row.layers,
      upper: containerPaths(room.root, row.id).upper,
      leaveOut: leftOut,
      config: imageDefaults(row.config),
      createdBy: row.config.command.join(" "),
      ...how,
      signal,
    });
    if (room.store.get(row.id) === undefined)
      throw new VarveError("CONTAINER_CONFLICT", `container ${row.id} was removed while an image was made of it`);
    const { message = "", name: imageRef = "" } = how;
    room.events.tell(row, "commit", { attributes: { comment: message, imageID: id, imageRef } });
    return { id, warnings };
  } finally {
    if (paused) await continueIt(room, row.id);
  }
}

/** Stops a container that runs while its files are read. Returns whether it is to be continued. */
async function tryPause(
  room: ContainerRoom,
  { id }: ContainerRow,
  { must, warnings }: { readonly must: boolean; readonly warnings: string[] },
): Promise<boolean> {
  if (room.store.get(id)?.run.status !== "running") return false;
  try {
    await pauseContainer(room, id);
    return true;
  } catch (error) {
    if (isVarveError(error) && error.code === "CONTAINER_CONFLICT") return false; // it has just ended, or another one paused it
    if (must || !isVarveError(error) || error.code !== "CONTAINER_NO_CGROUPS") throw error;
    warnings.push("the container runs on while its files are read: without cgroups it cannot be paused");
    return false;
  }
}

async function continueIt(room: ContainerRoom, id: string): Promise<void> {
  try {
    await unpauseContainer(room, id);
  } catch (error) {
    // stopped or removed meanwhile
    if (!isVarveError(error) || (error.code !== "CONTAINER_CONFLICT" && error.code !== "CONTAINER_NOT_FOUND")) throw error;
  }
}

/** What a container runs with as an image's defaults: that is what Docker starts the new config from. */
function imageDefaults(config: ContainerConfig): ImageDefaults {
  const { entrypoint, command, env, labels, workingDir, user, exposedPorts, healthcheck, stopSignal, host } = config;
  const volumes = host.mounts.filter(({ type, source }) => type === "volume" && source === undefined);
  const none = {} as Record<string, never>;
  return {
    ...(user === "" ? {} : { User: user }),
    ...(exposedPorts.length === 0 ? {} : { ExposedPorts: Object.fromEntries(exposedPorts.map((port) => [port, none])) }),
    Env: [...env],
    ...(entrypoint.length === 0 ? {} : { Entrypoint: [...entrypoint] }),
    ...(command.length === 0 ? {} : { Cmd: [...command] }),
    ...(volumes.length === 0 ? {} : { Volumes: Object.fromEntries(volumes.map(({ target }) => [target, none])) }),
    WorkingDir: workingDir,
    Labels: { ...labels },
    ...(stopSignal === "SIGTERM" ? {} : { StopSignal: stopSignal }),
    ...(healthcheck === undefined ? {} : { Healthcheck: structuredClone(healthcheck) }),
  };
}
