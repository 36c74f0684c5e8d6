import { constants } from "node:os";
import { VarveError } from "../errors/index.ts";
import type { ContainerRow } from "./container-store.ts";
import { endProcesses, signalContainer } from "./end-processes.ts";
import { findContainer } from "./find-container.ts";
import { setFrozen } from "./freeze.ts";
import { untilGone } from "./kernel-process.ts";
import { isOver } from "./observe.ts";
import { findEnd, isKept, recordEnd } from "./record-end.ts";
import type { ContainerRoom } from "./room.ts";
import { setTimeout as sleep } from "node:timers/promises";

const defaultTimeoutS = 10;
/** For the keeper to record an end; after that it is done here. */
const recordMs = 10_000;

export interface StopOptions {
  /** Until SIGKILL follows; negative: never. */
  readonly timeoutS?: number | undefined;
  readonly stopSignal?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `SIGTERM`, `TERM` or `15` as a number. */
export function signalNumber(name: string): number {
  const upper = name.toUpperCase();
  const full = upper.startsWith("SIG") ? upper : `SIG${upper}`;
  const known = Object.entries(constants.signals).find(([signal]) => signal === full)?.[1];
  const number = /^\d+$/.test(name) ? Number(name) : (known ?? realTimeSignal(full));
  if (number === undefined || number < 1 || number > 64) throw new VarveError("CONTAINER_INVALID", `Invalid signal: ${name}`);
  return number;
}

/** signal(7), "Real-time signals", as the C library counts them. */
function realTimeSignal(name: string): number | undefined {
  const [, base, offset = "0"] = /^SIGRT(MIN|MAX)([+-]\d+)?$/.exec(name) ?? [];
  return base === undefined ? undefined : (base === "MIN" ? 34 : 64) + Number(offset);
}

/** Ends a container: its stop signal, and SIGKILL when the time is over. Does nothing where it does not run. */
export async function stopContainer(room: ContainerRoom, name: string, options: StopOptions): Promise<void> {
  const { id } = findContainer(room.store, name);
  const signal = options.stopSignal === undefined ? undefined : signalNumber(options.stopSignal);
  // Under the lock: a restart that is on its way has come to its end, and sees this, or is seen here.
  const row = await room.locked(id, async () => await Promise.resolve(markStopped(room, id)), { signal: options.signal });
  if (row === undefined) return;
  const { run, config } = row;
  if (!isOver(row)) {
    const timeoutS = options.timeoutS ?? config.stopTimeoutS ?? defaultTimeoutS;
    await signalAloud(room, row, signal ?? signalNumber(config.stopSignal));
    if (run.status === "paused") await setFrozen(row, room.root, false);
    const timeoutMs = timeoutS < 0 ? Infinity : timeoutS * 1000;
    if (!(await untilGone(run.process, { timeoutMs, signal: options.signal }))) {
      tellSignal(room, row, constants.signals.SIGKILL);
      await endProcesses({ ...run, cgroupsPath: "" });
    }
  }
  await untilRecorded(room, row);
  room.events.tell(row, "stop");
}

async function signalAloud(room: ContainerRoom, row: ContainerRow, number: number): Promise<void> {
  if (await signalContainer(row.run, number)) tellSignal(room, row, number);
}

function tellSignal(room: ContainerRoom, row: ContainerRow, number: number): void {
  room.events.tell(row, "kill", { attributes: { signal: String(number) } });
}

/** From now on no policy starts it again. Undefined where nothing runs. */
function markStopped(room: ContainerRoom, id: string): ContainerRow | undefined {
  let runs = false;
  const row = room.store.change(id, (run) => {
    runs = run.status === "running" || run.status === "paused";
    if (run.status === "restarting") return { ...run, status: "exited", stoppedByHand: true };
    return runs ? { ...run, stoppedByHand: true } : run;
  });
  return runs ? row : undefined;
}

/** Waits until the end of a run is written down, and does it where nobody else will. */
export async function untilRecorded(room: ContainerRoom, { id, run }: ContainerRow): Promise<void> {
  const giveUp = Date.now() + recordMs;
  for (;;) {
    const now = room.store.get(id);
    if (now === undefined || now.run.generation !== run.generation) return;
    if (now.run.status !== "running" && now.run.status !== "paused" && now.run.status !== "removing") {
      // a container that removes itself is gone when it is stopped
      if (!now.config.host.autoRemove || !isKept(run)) return;
    } else if ((!isKept(run) || Date.now() > giveUp) && isOver(now)) {
      await recordEnd(room, id, run.generation);
      return;
    }
    await sleep(10);
  }
}

/** Sends a signal to a container that runs. SIGKILL ends it for good, whatever its policy. */
export async function killContainer(room: ContainerRoom, name: string, killSignal = "SIGKILL"): Promise<void> {
  const row = findContainer(room.store, name);
  const number = signalNumber(killSignal);
  if ((row.run.status !== "running" && row.run.status !== "paused") || isOver(row))
    throw new VarveError("CONTAINER_CONFLICT", `cannot kill container: ${name}: container ${row.id} is not running`);
  const ends = number === constants.signals.SIGKILL;
  if (ends || number === signalNumber(row.config.stopSignal))
    room.store.change(row.id, (run) => ({ ...run, stoppedByHand: true }));
  await signalAloud(room, row, number);
  if (!ends) return;
  if (row.run.status === "paused") await setFrozen(row, room.root, false);
  await untilGone(row.run.process, { timeoutMs: recordMs });
  await untilRecorded(room, row);
}

/** Resolves to the exit code of a run when it is over and written down. */
export async function exitCodeOf(room: ContainerRoom, { id, run }: ContainerRow, signal?: AbortSignal): Promise<number> {
  for (let pauseMs = 5; ; pauseMs = Math.min(pauseMs * 1.3, 100)) {
    const known = findEnd(room, id, run.generation);
    if (known !== undefined) return known;
    const now = room.store.get(id);
    if (now === undefined || now.run.generation !== run.generation) return now?.run.exitCode ?? 137;
    if (now.run.status !== "running" && now.run.status !== "paused") return now.run.exitCode;
    if (isOver(now) && !isKept(now.run)) await recordEnd(room, id, run.generation);
    await sleep(pauseMs, undefined, signal === undefined ? {} : { signal });
  }
}
