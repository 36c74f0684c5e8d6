import { existsSync, renameSync, rmSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { containerPaths } from "./handle.ts";
import { isRunning } from "./kernel-process.ts";
import { listOlder, olderPath } from "./log-files.ts";
import type { ContainerRoom } from "./room.ts";
import { startHelper } from "./start-helper.ts";
import { sendControl } from "./terminal-size.ts";
import type { HostConfig } from "./types.ts";

/** How often is looked whether a log is full: it may be larger than it should by what is written in this time. */
const lookMs = 100;
/** conmon begins a new file. (conmon, src/ctrl.c, REOPEN_LOGS_EVENT) */
const reopen = "2 0 0\n";
/** How long is waited for that, in milliseconds; then it is told once more. */
const reopenMs = 30_000;

/** Whether a log has files beside the one that is written. conmon itself keeps none. */
export function keepsOlder({ driver, maxBytes, maxFiles = 1 }: HostConfig["log"]): boolean {
  return driver !== "none" && maxBytes !== undefined && maxFiles > 1;
}

/** Starts the process that begins new log files where a container's old ones are kept. */
export function startRotator(room: ContainerRoom, id: string): void {
  const row = room.store.get(id);
  if (row === undefined || !keepsOlder(row.config.host.log)) return;
  const rotator = startHelper(room, "rotate", row);
  if (rotator !== undefined) room.store.change(id, (run) => ({ ...run, rotator }));
}

/** What that process does until the monitor has ended. */
export async function rotateLogs(room: ContainerRoom, id: string, generation: number): Promise<void> {
  const row = room.store.get(id);
  const monitor = row?.run.monitor;
  if (row === undefined || row.run.generation !== generation) return;
  const { maxBytes = Infinity, maxFiles = 1 } = row.config.host.log;
  const paths = containerPaths(room.root, id);
  for (; isRunning(monitor); await sleep(lookMs)) {
    const size = statSync(paths.log, { throwIfNoEntry: false })?.size ?? 0;
    if (size < maxBytes) continue;
    shiftLogs(paths.log, maxFiles);
    await sendControl(paths.control, reopen);
    for (let waitedMs = 0; !existsSync(paths.log) && isRunning(monitor); waitedMs += lookMs) {
      if (waitedMs > 0 && waitedMs % reopenMs === 0) await sendControl(paths.control, reopen);
      await sleep(lookMs);
    }
  }
}

/** Numbers a log's files anew, so that its present one is the first of the older ones; the oldest goes. */
export function shiftLogs(path: string, maxFiles: number): void {
  for (const number of listOlder(path).toSorted((a, b) => b - a)) {
    if (number >= maxFiles - 1) rmSync(olderPath(path, number), { force: true });
    else renameSync(olderPath(path, number), olderPath(path, number + 1));
  }
  if (existsSync(path)) renameSync(path, olderPath(path, 1));
}
