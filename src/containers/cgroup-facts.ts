import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "../sys/index.ts";
import { findScopes, readOwnScope } from "./scope.ts";

/** What control groups of this machine can do for a container of this user. */
export interface CgroupFacts {
  /** A hybrid machine is 1. */
  readonly version: 1 | 2;
  /** Controllers that a container can be limited by: `cpu`, `cpuset`, `memory`, `pids`, … Empty where there are no cgroups for it. */
  readonly controllers: readonly string[];
  /** Where containers' groups are made, a path of cgroups; undefined: this user can make none. */
  readonly parent: string | undefined;
  /** Limits of CPU time (CONFIG_CFS_BANDWIDTH). */
  readonly cpuTime: boolean;
  /** Swap is counted. */
  readonly swap: boolean;
  /** CPUs and memory nodes that a container may be bound to, as lists (`0-3,8`); "" is not known. */
  readonly cpus: string;
  readonly memoryNodes: string;
}

const tree = "/sys/fs/cgroup";
const none = { cpuTime: false, swap: false, cpus: "", memoryNodes: "" } as const;

/**
 * Reads what cgroups can do: for root's containers what the machine has; for others what systemd delegates to their user. Called in a
 * container's own scope, it is told of that one.
 */
export function readCgroupFacts({ ordinaryUser }: { readonly ordinaryUser: boolean }): CgroupFacts {
  const version = existsSync(join(tree, "cgroup.controllers")) ? 2 : 1;
  const scope = readOwnScope();
  if (scope !== undefined) return readUnified(scope.path, scope.controllers);
  if (ordinaryUser) {
    const { controllers = [] } = (process.getuid?.() === 0 ? undefined : findScopes()) ?? {};
    return {
      ...none,
      version,
      controllers,
      parent: undefined,
      cpuTime: controllers.includes("cpu"),
      swap: countsSwap(controllers),
    };
  }
  if (version === 2) return readUnified("/varve-containers", readIfThere(join(tree, "cgroup.controllers")).split(/\s+/));
  const mounts = new Map<string, string>();
  for (const line of readFileSync("/proc/self/mounts", "utf8").split("\n")) {
    const [, point = "", type = "", options = ""] = line.split(" ");
    if (type === "cgroup") for (const name of options.split(",")) mounts.set(name, point);
  }
  const controllers = ["blkio", "cpu", "cpuset", "devices", "freezer", "memory", "pids"].filter((name) => mounts.has(name));
  const has = (controller: string, file: string): boolean => existsSync(join(mounts.get(controller) ?? "/nowhere", file));
  const cpuset = mounts.get("cpuset");
  return {
    version: 1,
    controllers,
    parent: "/varve-containers",
    cpuTime: has("cpu", "cpu.cfs_quota_us"),
    swap: has("memory", "memory.memsw.limit_in_bytes"),
    cpus: cpuset === undefined ? "" : readIfThere(join(cpuset, "cpuset.effective_cpus")),
    memoryNodes: cpuset === undefined ? "" : readIfThere(join(cpuset, "cpuset.effective_mems")),
  };
}

function readUnified(parent: string, controllers: readonly string[]): CgroupFacts {
  return {
    version: 2,
    controllers,
    parent,
    cpuTime: controllers.includes("cpu"),
    swap: countsSwap(controllers),
    cpus: readIfThere(join(tree, "cpuset.cpus.effective")),
    memoryNodes: readIfThere(join(tree, "cpuset.mems.effective")),
  };
}

function countsSwap(controllers: readonly string[]): boolean {
  return controllers.includes("memory") && existsSync("/proc/swaps");
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (hasCode(error, "ENOENT", "EACCES")) return "";
    throw error;
  }
}
