import { limit, missing, needs } from "./refuse-limit.ts";
import type { ContainerFacts } from "./spec-inputs.ts";
import type { Resources } from "./types.ts";

/** Limits of CPU time, in microseconds, and the CPUs to run on; Docker's words for what is out of range. */
export function checkCpus(asked: Resources, facts: ContainerFacts): void {
  checkTime(asked, facts);
  if (asked.cpuShares !== undefined) {
    if (asked.cpuShares < 0) throw limit(`invalid CPU shares (${asked.cpuShares}): value must be a positive integer`);
    needs("cpu", "--cpu-shares", facts);
  }
  checkSet(asked.cpusetCpus, { flag: "--cpuset-cpus", title: "CPUs", what: "cpuset cpus", available: facts.cgroups.cpus }, facts);
  checkSet(
    asked.cpusetMems,
    { flag: "--cpuset-mems", title: "memory nodes", what: "cpuset mems", available: facts.cgroups.memoryNodes },
    facts,
  );
}

function checkTime({ cpus, cpuPeriodUs: period, cpuQuotaUs: quota }: Resources, facts: ContainerFacts): void {
  const { cpuCount } = facts;
  if (cpus !== undefined) {
    if (period !== undefined) throw limit("Conflicting options: Nano CPUs and CPU Period cannot both be set");
    if (quota !== undefined) throw limit("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
    if (cpus < 0 || cpus > cpuCount) {
      const most = `${cpuCount}.00`;
      throw limit(`range of CPUs is from 0.01 to ${most}, as there are only ${cpuCount} CPUs available`);
    }
  }
  if (period !== undefined && (period < 1000 || period > 1_000_000))
    throw limit("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  if (quota !== undefined && quota > 0 && quota < 1000) throw limit("CPU cfs quota can not be less than 1ms (i.e. 1000)");
  const flag =
    cpus !== undefined ? "--cpus" : period !== undefined ? "--cpu-period" : quota !== undefined ? "--cpu-quota" : undefined;
  if (flag === undefined) return;
  needs("cpu", flag, facts);
  if (!facts.cgroups.cpuTime) throw missing(flag, "on this kernel (CONFIG_CFS_BANDWIDTH is off)");
}

function checkSet(
  list: string | undefined,
  {
    flag,
    title,
    what,
    available,
  }: { readonly flag: string; readonly title: string; readonly what: string; readonly available: string },
  facts: ContainerFacts,
): void {
  if (list === undefined) return;
  const wanted = readList(list);
  if (wanted === undefined) throw limit(`Invalid value ${list} for ${what}`);
  needs("cpuset", flag, facts);
  const there = readList(available) ?? new Set();
  if ([...wanted].some((number) => !there.has(number)))
    throw limit(`Requested ${title} are not available - requested ${list}, available: ${available}`);
}

/** As many CPUs as Linux can have. */
const maxCpus = 8192;

/** `0-3,8` (cpuset(7), "List format"); undefined for what is none. */
function readList(text: string): Set<number> | undefined {
  const numbers = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? first);
    if (match === null || last < first || last >= maxCpus) return undefined;
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return numbers;
}
