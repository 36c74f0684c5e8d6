import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { sleep } from "../flow/index.ts";
import { hasCode } from "../sys/index.ts";

export interface StopOptions {
  /** The runtime. */
  readonly child: ChildProcess;
  readonly graceMs: number;
  /** The pid of the container's first process; undefined while there is none. */
  readonly readPid: () => number | undefined;
}

const pollMs = 10;
/** How long a runtime may take to start a container before it is killed itself. */
const startMs = 5_000;

/**
 * Ends a container: SIGTERM when its first process handles it, then SIGKILL, with which the kernel ends every process of its pid
 * namespace. A first process without a handler never sees SIGTERM (pid_namespaces(7)), so waiting would be in vain. Settles early
 * when `signal` says that all is over.
 */
export async function stopContainer(
  { child, graceMs, readPid }: StopOptions,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  try {
    let pid = readPid();
    for (let waitedMs = 0; pid === undefined && waitedMs < startMs; waitedMs += pollMs) {
      await sleep(pollMs, { signal });
      pid = readPid();
    }
    if (pid === undefined) return void child.kill("SIGKILL");
    if (graceMs > 0 && handlesTerm(pid)) {
      send(pid, "SIGTERM");
      await sleep(graceMs, { signal });
    }
    send(pid, "SIGKILL");
    await sleep(startMs, { signal });
    child.kill("SIGKILL");
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** True when the process catches SIGTERM (proc_pid_status(5), SigCgt). */
function handlesTerm(pid: number): boolean {
  try {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
    return ((BigInt(`0x${caught}`) >> 14n) & 1n) === 1n;
  } catch (error) {
    if (hasCode(error, "ENOENT", "ESRCH")) return false;
    throw error;
  }
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!hasCode(error, "ESRCH")) throw error;
  }
}
