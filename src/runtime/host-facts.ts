import { existsSync, readFileSync } from "node:fs";
import { arch, release } from "node:os";
import { readCapabilities } from "./capabilities.ts";
import type { Ulimit } from "./container-process.ts";

/** What a specification depends on beside the process: the machine, and how the worker lives on it. */
export interface HostFacts {
  /** Node's name (`process.arch`). */
  readonly architecture: string;
  readonly kernel: { readonly major: number; readonly minor: number };
  /** The worker lives in a user namespace of its own: no device nodes, no sysfs, no cgroups. */
  readonly userNamespace: boolean;
  /** Only the user's own id is mapped there, and groups cannot be set. */
  readonly singleId: boolean;
  /** The machine has only the unified cgroup tree. */
  readonly cgroupV2: boolean;
  /** The most that the worker can give. */
  readonly capabilities: readonly string[];
  /** The worker's own limits; a limit that is not there is not known on this machine. */
  readonly limits: readonly Ulimit[];
}

/** Reads the facts of the process it is called in: call it in the worker, once. */
export function readHostFacts(): HostFacts {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(release()) ?? [];
  const uidMap = readFileSync("/proc/self/uid_map", "utf8");
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return {
    architecture: arch(),
    kernel: { major: Number(major), minor: Number(minor) },
    userNamespace: !isInitialMap(uidMap),
    singleId: mappedIds(uidMap) === 1,
    cgroupV2: existsSync("/sys/fs/cgroup/cgroup.subtree_control"),
    capabilities: readCapabilities(bounding),
    limits: readLimits(readFileSync("/proc/self/limits", "utf8")),
  };
}

/** The runtimes' own test: the map of the first user namespace and nothing else counts as none. */
function isInitialMap(map: string): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(map);
}

function mappedIds(map: string): number {
  let count = 0;
  for (const line of map.trim().split("\n")) count += Number(line.trim().split(/\s+/)[2] ?? 0);
  return count;
}

const limitNames: Readonly<Record<string, string>> = {
  "Max cpu time": "cpu",
  "Max file size": "fsize",
  "Max data size": "data",
  "Max stack size": "stack",
  "Max core file size": "core",
  "Max resident set": "rss",
  "Max processes": "nproc",
  "Max open files": "nofile",
  "Max locked memory": "memlock",
  "Max address space": "as",
  "Max file locks": "locks",
  "Max pending signals": "sigpending",
  "Max msgqueue size": "msgqueue",
  "Max nice priority": "nice",
  "Max realtime priority": "rtprio",
  "Max realtime timeout": "rttime",
};

/** The table of /proc/PID/limits (proc_pid_limits(5)). */
export function readLimits(table: string): Ulimit[] {
  const number = (text: string): number => (text === "unlimited" ? -1 : Number(text));
  const limits: Ulimit[] = [];
  for (const line of table.split("\n")) {
    const match = /^(.+?)\s{2,}(unlimited|\d+)\s+(unlimited|\d+)/.exec(line);
    const name = limitNames[match?.[1] ?? ""];
    if (match?.[2] !== undefined && match[3] !== undefined && name !== undefined) {
      limits.push({ name, soft: number(match[2]), hard: number(match[3]) });
    }
  }
  return limits;
}
