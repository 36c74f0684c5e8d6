import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { bootId } from "../state/index.ts";
import { hasCode } from "../sys/index.ts";

/** A process that cannot be taken for a later one with its number. */
export interface KernelProcess {
  readonly pid: number;
  /** Clock ticks after boot (proc_pid_stat(5), field 22). */
  readonly started: string;
  readonly boot: string;
}

/**
 * The process that has this number now; undefined when there is none, or only its remains. One whose first thread has ended and others
 * have not is there: it has its files, sockets and mounts still, and may go on for long.
 */
export function findProcess(pid: number): KernelProcess | undefined {
  const facts = readStat(pid);
  return facts === undefined ? undefined : { pid, started: facts.started, boot: bootId() };
}

export function isRunning(process: KernelProcess | undefined): boolean {
  if (process === undefined || process.boot !== bootId()) return false;
  return readStat(process.pid)?.started === process.started;
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

function readStat(pid: number): { readonly started: string } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ESRCH")) return undefined;
    throw error;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state = "", threads = ""] = [fields[0], fields[17]];
  const isGone = ["Z", "X", "x"].includes(state) && Number(threads) <= 1;
  return isGone ? undefined : { started: fields[19] ?? "" };
}
