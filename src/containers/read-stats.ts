import { readFileSync, readlinkSync } from "node:fs";
import { totalmem } from "node:os";
import { hasCode } from "../sys/index.ts";
import type { ContainerStats } from "./types.ts";

/** What a container uses now: from its cgroup, or, where it has none of its own (without root), from its processes. */
export function readStats(
  id: string,
  pid: number,
  { pids, nowMs }: { readonly pids: ReadonlySet<number>; readonly nowMs: number },
): ContainerStats {
  const folders = findCgroups(id, pid);
  const counted =
    folders === undefined ? countProcesses(pids) : (folders.version === 2 ? readUnified : readHybrid)(folders.folderOf);
  return { timeMs: nowMs, processes: pids.size, ...counted, ...readTraffic(pid) };
}

type Counted = Omit<ContainerStats, "timeMs" | "processes"> & { readonly processes?: number };

interface Cgroups {
  readonly version: 1 | 2;
  /** The folder of a controller, undefined where the container is in none of its own. */
  readonly folderOf: (controller: string) => string | undefined;
}

/** The container's own cgroups, known by its ID in their paths (cgroups(7), /proc/PID/cgroup). */
function findCgroups(id: string, pid: number): Cgroups | undefined {
  const folders = new Map<string, string>();
  for (const line of (readText(`/proc/${pid}/cgroup`) ?? "").split("\n")) {
    const [, controllers = "", ...rest] = line.split(":");
    const path = rest.join(":");
    if (!path.includes(id)) continue;
    if (controllers === "") folders.set("", `/sys/fs/cgroup${path}`);
    for (const name of controllers.split(",").filter((one) => one !== ""))
      folders.set(name, `/sys/fs/cgroup/${controllers}${path}`);
  }
  if (folders.size === 0) return undefined;
  const unified = folders.get("");
  if (folders.size === 1 && unified !== undefined) return { version: 2, folderOf: () => unified };
  return { version: 1, folderOf: (controller) => folders.get(controller) };
}

function readUnified(folderOf: Cgroups["folderOf"]): Counted {
  const at = (file: string): string => `${folderOf("") ?? ""}/${file}`;
  const usage = field(readText(at("cpu.stat")), "usage_usec");
  const current = number(readText(at("memory.current")));
  const inactive = field(readText(at("memory.stat")), "inactive_file") ?? 0;
  const io = readText(at("io.stat")) ?? "";
  const sum = (key: string): number =>
    [...io.matchAll(new RegExp(`\\b${key}=(\\d+)`, "g"))].reduce((all, [, bytes]) => all + Number(bytes), 0);
  return {
    cpuNs: (usage ?? 0) * 1000,
    ...memory(current, inactive, number(readText(at("memory.max")))),
    readBytes: sum("rbytes"),
    writtenBytes: sum("wbytes"),
    ...defined("processes", number(readText(at("pids.current")))),
  };
}

function readHybrid(folderOf: Cgroups["folderOf"]): Counted {
  const read = (controller: string, file: string): string | undefined => {
    const folder = folderOf(controller);
    return folder === undefined ? undefined : readText(`${folder}/${file}`);
  };
  const inactive = field(read("memory", "memory.stat"), "total_inactive_file") ?? 0;
  const io = read("blkio", "blkio.throttle.io_service_bytes_recursive") ?? read("blkio", "blkio.throttle.io_service_bytes");
  const sum = (word: string): number =>
    [...(io ?? "").matchAll(new RegExp(`^\\d+:\\d+ ${word} (\\d+)$`, "gm"))].reduce((all, [, bytes]) => all + Number(bytes), 0);
  return {
    cpuNs: number(read("cpuacct", "cpuacct.usage")) ?? 0,
    ...memory(number(read("memory", "memory.usage_in_bytes")), inactive, number(read("memory", "memory.limit_in_bytes"))),
    ...(io === undefined ? {} : { readBytes: sum("Read"), writtenBytes: sum("Write") }),
    ...defined("processes", number(read("pids", "pids.current"))),
  };
}

/** Docker takes the page cache that nobody used lately for free memory; a limit beyond the machine's memory is none. */
function memory(current: number | undefined, inactive: number, limit: number | undefined): Partial<Counted> {
  if (current === undefined) return {};
  return { memoryBytes: Math.max(current - inactive, 0), memoryLimitBytes: Math.min(limit ?? Infinity, totalmem()) };
}

/** USER_HZ of /proc/PID/stat (proc_pid_stat(5)), on all Linux that Node runs on. */
const ticksPerSecond = 100;
const pageBytes = 4096;

function countProcesses(pids: ReadonlySet<number>): Counted {
  let [ticks, pages] = [0, 0];
  for (const pid of pids) {
    const fields = (readText(`/proc/${pid}/stat`) ?? "").replace(/^.*\) /s, "").split(" ");
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    pages += Number(fields[21] ?? 0);
  }
  return { cpuNs: (ticks * 1e9) / ticksPerSecond, memoryBytes: pages * pageBytes, memoryLimitBytes: totalmem() };
}

/** Traffic of the container's network namespace, without loopback; nothing where that is the machine's. */
function readTraffic(pid: number): Pick<ContainerStats, "receivedBytes" | "sentBytes"> {
  if (networkOf(String(pid)) === networkOf("self")) return {};
  const text = readText(`/proc/${pid}/net/dev`);
  if (text === undefined) return {};
  let [receivedBytes, sentBytes] = [0, 0];
  for (const line of text.split("\n")) {
    const [name = "", counters] = line.split(":");
    if (counters === undefined || name.trim() === "lo") continue;
    const numbers = counters.trim().split(/\s+/).map(Number);
    receivedBytes += numbers[0] ?? 0;
    sentBytes += numbers[8] ?? 0;
  }
  return { receivedBytes, sentBytes };
}

function networkOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch (error) {
    // Of a process with subordinate ids only those inside may know; then it is not the machine's own.
    if (hasCode(error, "EACCES", "EPERM", "ENOENT", "ESRCH")) return undefined;
    throw error;
  }
}

function defined<K extends string>(key: K, value: number | undefined): { readonly [P in K]?: number } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: number });
}

function field(text: string | undefined, name: string): number | undefined {
  return number(new RegExp(`^${name} (\\d+)$`, "m").exec(text ?? "")?.[1]);
}

/** Undefined for `max`, and for what is not there. */
function number(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  return /^\d+$/.test(trimmed) ? Number(trimmed) : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "ENODEV", "ESRCH", "EACCES", "EOPNOTSUPP")) return undefined;
    throw error;
  }
}
