import type { OciDeviceRule, OciResources } from "../runtime/index.ts";
import type { ContainerDevice, ContainerFacts } from "./spec-inputs.ts";
import type { HostConfig } from "./types.ts";

/** Microseconds of the period that `--cpus` is a share of. */
const cpuPeriodUs = 100_000;

/**
 * The limits of a container (config-linux.md, "Control groups"), in the words of version 1: the runtimes turn shares into weights and
 * take the memory off the swap for version 2. What cannot be enforced was refused before.
 */
export function containerResources(
  host: HostConfig,
  devices: readonly ContainerDevice[],
  { cgroups, userNamespace }: Pick<ContainerFacts, "cgroups" | "userNamespace">,
): OciResources {
  const asked = host.resources;
  const { memoryBytes, pidsLimit } = asked;
  // Docker's rule: a limit of memory limits swap to as much again.
  const swap = asked.memorySwapBytes ?? (memoryBytes === undefined || !cgroups.swap ? undefined : memoryBytes * 2);
  const memory = {
    ...value("limit", memoryBytes),
    ...value("reservation", asked.memoryReservationBytes),
    ...value("swap", swap),
    ...value("swappiness", asked.memorySwappiness),
    ...value("disableOOMKiller", asked.oomKillDisable === true ? true : undefined),
  };
  const cpu = {
    ...value("shares", asked.cpuShares === 0 ? undefined : asked.cpuShares),
    ...(asked.cpus === undefined ? {} : { period: cpuPeriodUs, quota: Math.trunc(asked.cpus * cpuPeriodUs) }),
    ...value("period", asked.cpuPeriodUs),
    ...value("quota", asked.cpuQuotaUs),
    ...value("cpus", asked.cpusetCpus),
    ...value("mems", asked.cpusetMems),
  };
  return {
    // A user namespace can make no nodes, and may load no filter of devices.
    ...(userNamespace ? {} : { devices: host.privileged ? [{ allow: true, access: "rwm" }] : deviceRules(host, devices) }),
    ...(Object.keys(memory).length === 0 ? {} : { memory }),
    ...(Object.keys(cpu).length === 0 ? {} : { cpu }),
    // Docker's −1 is no limit.
    ...(pidsLimit === undefined || pidsLimit <= 0 ? {} : { pids: { limit: pidsLimit } }),
  };
}

/** The runtimes allow a container's usual devices by themselves. */
function deviceRules({ deviceCgroupRules = [] }: HostConfig, devices: readonly ContainerDevice[]): OciDeviceRule[] {
  return [
    { allow: false, access: "rwm" },
    ...devices.map(({ type, major, minor, access }): OciDeviceRule => ({ allow: true, type, major, minor, access })),
    ...deviceCgroupRules.map(readRule),
  ];
}

function readRule(text: string): OciDeviceRule {
  const [type = "a", numbers = "*:*", access = "rwm"] = text.split(" ");
  const [major, minor] = numbers.split(":").map((number) => (number === "*" ? undefined : Number(number)));
  return {
    allow: true,
    type: type === "b" || type === "c" ? type : "a",
    ...value("major", major),
    ...value("minor", minor),
    access,
  };
}

function value<K extends string, V>(key: K, given: V | undefined): { readonly [P in K]?: V } {
  return given === undefined ? {} : ({ [key]: given } as { readonly [P in K]?: V });
}
