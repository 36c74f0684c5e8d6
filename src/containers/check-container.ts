import { cgroupParentPath, makeRlimits } from "../runtime/index.ts";
import { checkCpus } from "./check-cpus.ts";
import { containerCapabilities } from "./container-capabilities.ts";
import { limit, missing, needs } from "./refuse-limit.ts";
import { readSecurity } from "./security-options.ts";
import type { ContainerFacts } from "./spec-inputs.ts";
import type { ContainerConfig, HostConfig, Resources } from "./types.ts";

/** HOST_NAME_MAX of Linux. */
const maxHostnameBytes = 64;
/** Docker's: with less a container cannot even start. */
const minMemoryBytes = 6 * 1024 * 1024;

/**
 * Refuses what Docker refuses of a container's limits and settings (CONTAINER_LIMIT, its words), and what this machine or this user
 * cannot enforce (CONTAINER_UNSUPPORTED, RUNTIME_ULIMIT, RUNTIME_CGROUP), where Docker would warn and drop it. For `create` and each
 * start. Returns Docker's warnings. Pure.
 */
export function checkContainer(config: ContainerConfig, facts: ContainerFacts): readonly string[] {
  const { host, hostname } = config;
  if (Buffer.byteLength(hostname) > maxHostnameBytes)
    throw limit(`hostname ${JSON.stringify(hostname)} is too long (maximum ${maxHostnameBytes} bytes)`);
  checkMemory(host.resources, facts);
  checkCpus(host.resources, facts);
  if ((host.resources.pidsLimit ?? 0) > 0) needs("pids", "--pids-limit", facts);
  makeRlimits(host.ulimits, facts);
  containerCapabilities(host, facts);
  readSecurity(host.securityOpt);
  checkDevices(host, facts);
  checkSysctls(host, facts);
  if (host.cgroupParent !== undefined) {
    cgroupParentPath(host.cgroupParent);
    if (facts.userNamespace) throw missing("--cgroup-parent", "without root");
  }
  if (host.cgroupnsMode === "private" && facts.cgroups.version === 1 && facts.userNamespace)
    throw missing("--cgroupns=private", "without root on a machine with cgroups v1");
  if ((host.oomScoreAdj ?? 0) < 0 && (facts.userNamespace || !facts.capabilities.includes("CAP_SYS_RESOURCE")))
    throw missing("--oom-score-adj below 0", "without root");
  return warningsOf(host);
}

function warningsOf({ networkMode, ports, resources }: HostConfig): readonly string[] {
  return [
    ...(networkMode === "host" && ports.length > 0 ? ["Published ports are discarded when using host network mode"] : []),
    ...(resources.oomKillDisable === true && resources.memoryBytes === undefined
      ? [
          "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
        ]
      : []),
  ];
}

function checkMemory(asked: Resources, facts: ContainerFacts): void {
  const { memoryBytes: memory, memoryReservationBytes: reservation, memorySwapBytes: swap } = asked;
  if (memory !== undefined && memory < minMemoryBytes) throw limit("Minimum memory limit allowed is 6MB");
  if (reservation !== undefined && reservation < minMemoryBytes) throw limit("Minimum memory reservation allowed is 6MB");
  if (swap !== undefined && swap > 0) {
    if (memory === undefined) throw limit("You should always set the Memory limit when using Memoryswap limit, see usage");
    if (swap < memory) throw limit("Minimum memoryswap limit should be larger than memory limit, see usage");
  }
  if (memory !== undefined && reservation !== undefined && memory < reservation)
    throw limit("Minimum memory limit can not be less than memory reservation limit, see usage");
  if (memory !== undefined) needs("memory", "--memory", facts);
  if (reservation !== undefined) needs("memory", "--memory-reservation", facts);
  if (swap !== undefined && memory !== undefined && !facts.cgroups.swap)
    throw missing("--memory-swap", "where the kernel does not count swap (swapaccount=1)");
  if (asked.memorySwappiness !== undefined) needsFirst("--memory-swappiness", facts);
  if (asked.oomKillDisable === true) needsFirst("--oom-kill-disable", facts);
}

/** What only cgroups v1 have. */
function needsFirst(flag: string, facts: ContainerFacts): void {
  if (facts.cgroups.version === 2) throw missing(flag, "with cgroups v2, which have no such setting");
  needs("memory", flag, facts);
}

function checkDevices({ devices, deviceCgroupRules = [], privileged }: HostConfig, facts: ContainerFacts): void {
  if (!facts.userNamespace) return;
  if (deviceCgroupRules.length > 0) throw missing("--device-cgroup-rule", "without root");
  const device = privileged ? undefined : devices.find(({ access }) => access !== "rwm");
  if (device !== undefined)
    throw missing(`--device ${device.host} with access ${device.access}`, "without root: it is what the file's permissions say");
}

/** What a sysctl belongs to must be the container's own. */
function checkSysctls({ sysctls, networkMode, ipcMode }: HostConfig, { userNamespace }: ContainerFacts): void {
  for (const name of Object.keys(sysctls)) {
    if (name.startsWith("net.") && networkMode === "host")
      throw limit(`sysctl ${JSON.stringify(name)} not allowed in host network namespace`);
    if (/^(?:kernel\.(?:msg|sem|shm)|fs\.mqueue\.)/.test(name)) {
      if (ipcMode === "host") throw limit(`sysctl ${JSON.stringify(name)} not allowed in host ipc namespace`);
      if (userNamespace && name.startsWith("fs.mqueue.")) throw missing(`--sysctl ${name}`, "without root");
    }
  }
}
