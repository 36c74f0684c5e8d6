import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readHostFacts } from "../runtime/index.ts";
import { readCgroupFacts } from "./cgroup-facts.ts";
import type { ContainerFacts } from "./spec-inputs.ts";

const cpuFolder = "/sys/devices/system/cpu";

/**
 * Reads the facts of the process it is called in. In an ordinary user's own process it tells what a container of that user will find,
 * so that `create` can refuse what `start` would.
 */
export function readContainerFacts(): ContainerFacts {
  const facts = readHostFacts();
  const userNamespace = facts.userNamespace || process.getuid?.() !== 0;
  return {
    ...facts,
    userNamespace,
    cgroups: readCgroupFacts({ ordinaryUser: userNamespace }),
    thermalPaths: existsSync(cpuFolder)
      ? readdirSync(cpuFolder)
          .filter((name) => /^cpu\d+$/.test(name))
          .map((name) => join(cpuFolder, name, "thermal_throttle"))
          .filter((path) => existsSync(path))
      : [],
  };
}
