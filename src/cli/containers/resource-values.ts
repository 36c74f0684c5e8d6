import type { HostConfig, Resources } from "../../containers/index.ts";
import { cut } from "../flags.ts";
import { optional } from "../store.ts";
import type { ContainerFlags } from "./container-flags.ts";
import { integerOf, readBytes, readCpus, readInteger, usage, wrongValue } from "./flag-values.ts";

/** The limits that flags set; 0 is Docker's word for none. */
export function readResources(
  flags: Pick<
    ContainerFlags,
    | "cpu-period"
    | "cpu-quota"
    | "cpu-shares"
    | "cpus"
    | "cpuset-cpus"
    | "cpuset-mems"
    | "memory"
    | "memory-reservation"
    | "memory-swap"
    | "memory-swappiness"
    | "oom-kill-disable"
    | "pids-limit"
  >,
): Resources {
  const bytes = (name: "memory" | "memory-reservation", shown: string): number | undefined => some(readBytes(flags[name], shown));
  const swappiness = readInteger(flags["memory-swappiness"], "--memory-swappiness") ?? -1;
  if (swappiness < -1 || swappiness > 100) throw usage(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  const { "memory-swap": swap } = flags;
  return {
    ...optional("memoryBytes", bytes("memory", "-m, --memory")),
    ...optional("memoryReservationBytes", bytes("memory-reservation", "--memory-reservation")),
    ...optional("memorySwapBytes", swap === "-1" ? -1 : some(readBytes(swap, "--memory-swap"))),
    ...optional("cpus", readCpus(flags.cpus)),
    ...optional("cpuShares", some(readInteger(flags["cpu-shares"], "-c, --cpu-shares"))),
    ...optional("cpuPeriodUs", some(readInteger(flags["cpu-period"], "--cpu-period"))),
    ...optional("cpuQuotaUs", some(readInteger(flags["cpu-quota"], "--cpu-quota"))),
    ...optional("cpusetCpus", text(flags["cpuset-cpus"])),
    ...optional("cpusetMems", text(flags["cpuset-mems"])),
    ...optional("pidsLimit", some(readInteger(flags["pids-limit"], "--pids-limit"))),
    ...(flags["oom-kill-disable"] === true ? { oomKillDisable: true } : {}),
    ...(swappiness === -1 ? {} : { memorySwappiness: swappiness }),
  };
}

function some(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

function text(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

const ulimitNames = new Set(
  "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(" "),
);

/** `--ulimit NAME=SOFT[:HARD]`, by name; the last of a name wins (docker/go-units `ParseUlimit`). −1 is no limit. */
export function readUlimits(values: readonly string[]): HostConfig["ulimits"] {
  const limits = values.map((value) => {
    const wrong = (why: string) => wrongValue(value, "--ulimit", why);
    const [name, numbers] = cut(value, "=");
    if (numbers === undefined) throw wrong(`invalid ulimit argument: ${value}`);
    if (!ulimitNames.has(name)) throw wrong(`invalid ulimit type: ${name}`);
    const [first = "", second = first, ...more] = numbers.split(":");
    if (more.length > 0) throw wrong(`too many limit value arguments - ${numbers}, can only have up to two, \`soft[:hard]\``);
    const soft = integerOf(first, wrong);
    const hard = integerOf(second, wrong);
    if (hard !== -1 && soft === -1)
      throw wrong(`ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: ${hard}`);
    if (hard !== -1 && soft > hard) throw wrong(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
    return { name, soft, hard };
  });
  return [...new Map(limits.map((limit) => [limit.name, limit])).values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const sysctlNames = new Set(
  "msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced".split(" ").map((name) => `kernel.${name}`),
);

/** `--sysctl NAME=VALUE`: only what belongs to a namespace of the container. */
export function readSysctls(values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    values.map((value) => {
      const [name, setting] = cut(value, "=");
      const isKnown = sysctlNames.has(name) || name.startsWith("net.") || name.startsWith("fs.mqueue.");
      if (setting === undefined || !isKnown) throw wrongValue(value, "--sysctl", `sysctl '${value}' is not allowed`);
      return [name, setting];
    }),
  );
}

/** `--device HOST[:CONTAINER][:rwm]`. */
export function readDevices(values: readonly string[]): HostConfig["devices"] {
  return values.map((value) => {
    const [host = "", second, third, ...more] = value.split(":");
    if (host === "" || more.length > 0) throw usage(`bad format for path: ${value}`);
    const isMode = second !== undefined && third === undefined && isAccess(second);
    const container = second === undefined || isMode ? host : second;
    const access = third ?? (isMode ? second : "rwm");
    if (!isAccess(access)) throw usage(`bad mode specified: ${access}`);
    if (!container.startsWith("/")) throw usage(`${container} is not an absolute path`);
    return { host, container, access };
  });
}

function isAccess(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;
}

/** `--device-cgroup-rule "TYPE MAJOR:MINOR ACCESS"`. */
export function readDeviceRules(values: readonly string[]): readonly string[] {
  for (const value of values) {
    if (!/^[acb] (?:\d+|\*):(?:\d+|\*) [rwm]{1,3}$/.test(value))
      throw wrongValue(value, "--device-cgroup-rule", `invalid device cgroup format '${value}'`);
  }
  return values;
}
