import { isVarveError } from "../errors/index.ts";
import type { ContainerRow } from "./container-store.ts";
import { isOver } from "./observe.ts";
import type { ContainerRoom } from "./room.ts";
import type { Restored } from "./types.ts";

/**
 * Whether a container is up again after a start of the machine, as of Docker's daemon: `always` even where it was stopped by hand,
 * `unless-stopped` where it was not, `on-failure` never. (Docker docs, "Start containers automatically", "Restart policy details")
 */
export function wantsRestoring({ config, run }: Pick<ContainerRow, "config" | "run">): boolean {
  if (run.generation === 0) return false; // it was never started
  const { name } = config.host.restart;
  return name === "always" || (name === "unless-stopped" && run.stoppedByHand !== true);
}

/** Starts what {@link wantsRestoring} and does not run, oldest first: a later one may need an earlier one. What fails keeps no other from it. */
export async function restoreContainers(
  { store }: Pick<ContainerRoom, "store">,
  start: (id: string) => Promise<unknown>,
): Promise<readonly Restored[]> {
  const restored: Restored[] = [];
  for (const row of store.list().toReversed()) {
    const runs = (row.run.status === "running" || row.run.status === "paused") && !isOver(row);
    if (runs || !wantsRestoring(row)) continue;
    try {
      await start(row.id);
      restored.push({ name: row.name });
    } catch (error) {
      if (!isVarveError(error)) throw error;
      restored.push({ name: row.name, error });
    }
  }
  return restored;
}
