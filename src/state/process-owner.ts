import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * A text that names this process for all time on this machine: boot, pid namespace, pid and start time. Written beside
 * unfinished work, so that whoever finds it later can tell a crash from work under way.
 */
export function processOwner(): string {
  owner ??= ownerOf(process.pid);
  return owner;
}

/** The same text for another process; one that is not there is not alive for {@link isOwnerAlive}. */
export function ownerOf(pid: number): string {
  return `${bootId()}:${pidNamespace()}:${pid}:${startTime(pid) ?? "0"}`;
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

/**
 * A path beside `path` for what will take its place: a hidden name of this process. What processes left there that died before
 * the rename is named by {@link listAbandonedAsides}.
 */
export function asideOf(path: string): string {
  const tag = `${process.pid}-${startTime(process.pid) ?? "0"}-${pidNamespace()}`;
  return join(dirname(path), `.${basename(path)}.${tag}-${randomBytes(6).toString("hex")}.tmp`);
}

/** What dead processes left of {@link asideOf} of this path. Those of other pid namespaces cannot be judged and count as alive. */
export function listAbandonedAsides(path: string): readonly string[] {
  const folder = dirname(path);
  const start = `.${basename(path)}.`;
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    // whoever writes there says so
    if (["ENOENT", "ENOTDIR", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
  return names
    .filter((name) => {
      const match = name.startsWith(start) ? /^(\d+)-(\d+)-(\d+)-[0-9a-f]{12}\.tmp$/.exec(name.slice(start.length)) : undefined;
      const [, pid, started, namespace] = match ?? [];
      return pid !== undefined && namespace === pidNamespace() && startTime(Number(pid)) !== started;
    })
    .map((name) => join(folder, name));
}

/** A text that is another one each time this machine is started (random(4)). */
export function bootId(): string {
  boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return boot;
}

let boot: string | undefined;

function pidNamespace(): string {
  return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
}

/**
 * When the process with this number was started: clock ticks after boot (proc_pid_stat(5), field 22). Undefined when there is none, or
 * only its remains. One whose first thread has ended and others have not is there: it has its files, sockets and mounts still.
 */
export function startTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
    throw error;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const isGone = /^[ZXx]$/.test(fields[0] ?? "") && Number(fields[17]) <= 1;
  return isGone ? undefined : fields[19];
}
