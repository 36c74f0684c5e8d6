import { setTimeout as sleep } from "node:timers/promises";
import { bootId, startTime } from "../state/index.ts";
import { hasCode } from "../sys/index.ts";

/** A process that cannot be taken for a later one with its number. */
export interface KernelProcess {
  readonly pid: number;
  /** Clock ticks after boot (proc_pid_stat(5), field 22). */
  readonly started: string;
  readonly boot: string;
}

/** The process that has this number now; undefined when there is none, or only its remains. */
export function findProcess(pid: number): KernelProcess | undefined {
  const started = startTime(pid);
  return started === undefined ? undefined : { pid, started, boot: bootId() };
}

export function isRunning(process: KernelProcess | undefined): boolean {
  if (process === undefined || process.boot !== bootId()) return false;
  return startTime(process.pid) === process.started;
}

/** Sends a signal to just this process; false when it is gone. Only for what this user may signal. */
export function signalProcess(target: KernelProcess | undefined, signal: NodeJS.Signals | number): boolean {
  if (target === undefined || !isRunning(target)) return false;
  try {
    return process.kill(target.pid, signal);
  } catch (error) {
    if (hasCode(error, "ESRCH")) return false;
    throw error;
  }
}

/** Resolves true when a process is gone, false when the time is over first. */
export async function untilGone(
  process: KernelProcess | undefined,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  for (let pauseMs = 2; isRunning(process); pauseMs = Math.min(pauseMs * 1.5, 50)) {
    if (Date.now() >= end) return false;
    await sleep(pauseMs, undefined, signal === undefined ? {} : { signal });
  }
  return true;
}
