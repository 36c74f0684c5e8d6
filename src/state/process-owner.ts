import { readFileSync, readlinkSync } from "node:fs";

/**
 * A text that names this process for all time on this machine: boot, pid namespace, pid and start time. Written beside
 * unfinished work, so that whoever finds it later can tell a crash from work under way.
 */
export function processOwner(): string {
  owner ??= `${bootId()}:${pidNamespace()}:${process.pid}:${startTime(process.pid) ?? "0"}`;
  return owner;
}

let owner: string | undefined;

/**
 * Whether the process that {@link processOwner} named still runs. Processes of another pid namespace cannot be seen
 * from here: they count as alive for as long as the machine has not been booted again.
 */
export function isOwnerAlive(text: string): boolean {
  const [boot, namespace, pid, started] = text.split(":");
  if (boot !== bootId()) return false;
  if (namespace !== pidNamespace()) return true;
  return startTime(Number(pid)) === started;
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

function pidNamespace(): string {
  return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)): clock ticks after boot. */
function startTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
    throw error;
  }
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
