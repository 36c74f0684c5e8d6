import { existsSync, readdirSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { readHostFacts, type HostFacts } from "../runtime/index.ts";
import { readCgroupFacts } from "./cgroup-facts.ts";
import type { ContainerFacts } from "./spec-inputs.ts";

const cpuFolder = "/sys/devices/system/cpu";

/**
 * The facts of the process it is called in. In an ordinary user's own process they are those that a container of that user will find,
 * so that `create` can refuse what `start` would.
 */
export function readContainerFacts(facts: HostFacts = readHostFacts()): ContainerFacts {
  const userNamespace = facts.userNamespace || process.getuid?.() !== 0;
  return {
    ...facts,
    userNamespace,
    cgroups: readCgroupFacts({ ordinaryUser: userNamespace }),
    cpuCount: cpus().length,
    thermalPaths: findThermalPaths(),
  };
}

function findThermalPaths(): readonly string[] {
  if (!existsSync(cpuFolder)) return [];
  return readdirSync(cpuFolder)
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => join(cpuFolder, name, "thermal_throttle"))
    .filter((path) => existsSync(path));
}
