import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerRow, ContainerRun } from "./container-store.ts";
import { untilFree } from "./copy-holds.ts";
import { endProcesses } from "./end-processes.ts";
import { containerPaths } from "./handle.ts";
import { isRunning } from "./kernel-process.ts";
import { isOver, readEnd, untilTold } from "./observe.ts";
import { removeLocked } from "./remove.ts";
import { wantsRestart } from "./restart-policy.ts";
import type { ContainerRoom } from "./room.ts";
import { startLocked, withKeeper, withoutProcesses } from "./start.ts";

/** The first wait before a restart; each further one is twice as long, up to the last. (Docker docs, "Start containers automatically") */
const firstDelayMs = 100;
const lastDelayMs = 60_000;
/** A container that ran this long is not one that fails at once: the waits begin anew. */
const steadyMs = 10_000;

/**
 * What follows when a container's monitor has ended, in whatever way: nothing of it runs on, its exit code is written down, its
 * networks are given back; then it is started again or removed, where that was asked for. Safe to call for an end that was recorded.
 */
export async function recordEnd(
  room: ContainerRoom,
  id: string,
  generation: number,
  { alone = false }: { readonly alone?: boolean } = {},
): Promise<void> {
  const delayMs = await room.locked(id, async () => {
    const row = room.store.get(id);
    return row === undefined || row.run.generation !== generation ? undefined : await recordLocked(room, row, { alone });
  });
  if (delayMs !== undefined) await restartLater(room, id, { generation, delayMs });
}

/** Records the end of what is over, without what would follow: whoever comes by found that nobody else did. Only with the lock. */
export async function settleLocked(room: ContainerRoom, row: ContainerRow): Promise<void> {
  if (isOver(row)) await recordLocked(room, row, { alone: true });
}

/** Returns how long to wait before the restart that its policy asks for. */
async function recordLocked(room: ContainerRoom, row: ContainerRow, { alone = false } = {}): Promise<number | undefined> {
  const { id, config, run } = row;
  if (run.status !== "running" && run.status !== "paused") return undefined;
  await untilTold(row, room.root);
  await endProcesses(run);
  await room.networks.detach(id);
  const end = readEnd(containerPaths(room.root, id), run.process?.boot);
  const again = !alone && wantsRestart(row, end.exitCode);
  const ranMs = end.finishedMs - (run.startedMs ?? end.finishedMs);
  const delayMs = ranMs >= steadyMs ? firstDelayMs : Math.min((run.restartDelayMs ?? firstDelayMs / 2) * 2, lastDelayMs);
  const { finishedMs: timeMs, exitCode, oomKilled } = end;
  // First what happened is told: who waits for the end goes on with the next line, and what it does then comes after.
  if (oomKilled) room.events.tell(row, "oom", { timeMs });
  const execDuration = String(Math.max(0, Math.floor(ranMs / 1000)));
  room.events.tell(row, "die", { timeMs, attributes: { execDuration, exitCode: String(exitCode) } });
  rememberEnd(room, id, run.generation, exitCode);
  room.store.change(id, (last) => ({
    ...withoutProcesses(last),
    ...(again ? withKeeper(run) : {}),
    ...end,
    status: again ? "restarting" : "exited",
    ...(again ? { restartCount: last.restartCount + 1, restartDelayMs: delayMs } : {}),
  }));
  if (again) return delayMs;
  const now = room.store.get(id);
  if (config.host.autoRemove && now !== undefined) await removeLocked(room, now, { volumes: true });
  return undefined;
}

async function restartLater(
  room: ContainerRoom,
  id: string,
  { generation, delayMs }: { readonly generation: number; readonly delayMs: number },
): Promise<void> {
  await sleep(delayMs);
  for (let wait = delayMs; ; wait = Math.min(wait * 2, lastDelayMs)) {
    const done = await room.locked(id, async () => {
      const row = room.store.get(id);
      // stopped, started or removed meanwhile
      if (row === undefined || row.run.generation < generation || row.run.status !== "restarting") return true;
      if (room.copies.isTaken(id)) return "taken";
      try {
        await startLocked(room, row, { restart: { count: row.run.restartCount, delayMs: wait } });
        return true;
      } catch {
        // what went wrong stands in its row; Docker tries again, too
        const failed = room.store.get(id);
        if (failed === undefined || !wantsRestart(failed, failed.run.exitCode)) return true;
        room.store.change(id, (run) => ({
          ...run,
          ...withKeeper(row.run),
          status: "restarting",
          restartCount: run.restartCount + 1,
        }));
        return false;
      }
    });
    if (done === true) return;
    if (done === "taken") await untilFree(room, id);
    else await sleep(wait);
  }
}

/** How long exit codes of containers that are gone are kept for those who wait for them. */
const keepEndsMs = 10 * 60 * 1000;

function rememberEnd({ state }: Pick<ContainerRoom, "state">, id: string, generation: number, exitCode: number): void {
  state.run("DELETE FROM container_ends WHERE time < ?", Date.now() - keepEndsMs);
  state.run(
    "INSERT OR REPLACE INTO container_ends (id, generation, exit_code, time) VALUES (?, ?, ?, ?)",
    id,
    generation,
    exitCode,
    Date.now(),
  );
}

/** The exit code of a run that was recorded; undefined where it was not. */
export function findEnd({ state }: Pick<ContainerRoom, "state">, id: string, generation: number): number | undefined {
  return state.get<{ exit_code: number }>("SELECT exit_code FROM container_ends WHERE id = ? AND generation = ?", id, generation)
    ?.exit_code;
}

/** Whether somebody is there who will record the end of this run. */
export function isKept({ keeper }: ContainerRun): boolean {
  return isRunning(keeper);
}
