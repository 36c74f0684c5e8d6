import { parseSize, readDurationMs } from "../units/index.ts";
import { VarveError } from "../errors/index.ts";
import { parseConditions, type RecordFilter } from "./filter.ts";
import type { DiskFacts, PruneRule, SpaceLimits } from "./types.ts";

/** An amount of disk: bytes, or a percentage of the disk. */
export type DiskSpace = { readonly bytes: number } | { readonly percent: number };

interface SpaceSettings {
  readonly reservedSpace?: DiskSpace;
  readonly maxUsedSpace?: DiskSpace;
  readonly minFreeSpace?: DiskSpace;
  readonly maxUsedInodes?: number;
  readonly minFreeInodes?: number;
}

export interface PolicySettings extends SpaceSettings {
  readonly all: boolean;
  /** One of them must match; none: all match. */
  readonly filters: readonly string[];
  readonly keepMs: number;
}

/** What varve.toml says about the store's size, with buildkitd.toml's names (`[worker.oci]`). */
export interface GcSettings extends SpaceSettings {
  /** False: nothing is removed by itself. Limits that were set hold all the same. */
  readonly gc: boolean;
  readonly gcpolicy: readonly PolicySettings[] | undefined;
}

export const noGcSettings: GcSettings = { gc: true, gcpolicy: undefined };

/** Reads the table; every key must be known. Failures are CONFIG_INVALID, with `where` before them. */
export function readGcSettings(table: Readonly<Record<string, unknown>>, where: string): GcSettings {
  const { gc = true, gcpolicy, ...spaces } = table;
  if (typeof gc !== "boolean") throw invalid(where, "gc", "is neither true nor false");
  return { gc, gcpolicy: gcpolicy === undefined ? undefined : readPolicies(gcpolicy, where), ...readSpaces(spaces, where) };
}

function readPolicies(value: unknown, where: string): PolicySettings[] {
  if (!Array.isArray(value)) throw invalid(where, "gcpolicy", "is no list of tables");
  return value.map((policy: unknown) => {
    if (typeof policy !== "object" || policy === null) throw invalid(where, "gcpolicy", "is no list of tables");
    const { all = false, filters = [], keepDuration, ...spaces } = policy as Record<string, unknown>;
    if (typeof all !== "boolean") throw invalid(where, "gcpolicy.all", "is neither true nor false");
    if (!Array.isArray(filters) || !filters.every((filter) => typeof filter === "string"))
      throw invalid(where, "gcpolicy.filters", "is no list of texts");
    for (const filter of filters as string[]) parseConditions(filter);
    const keepMs = keepDuration === undefined ? 0 : readDuration(keepDuration, where);
    return { all, filters: filters as string[], keepMs, ...readSpaces(spaces, where) };
  });
}

const spaceKeys = ["reservedSpace", "maxUsedSpace", "minFreeSpace"] as const;
const inodeKeys = ["maxUsedInodes", "minFreeInodes"] as const;

function readSpaces(table: Readonly<Record<string, unknown>>, where: string): SpaceSettings {
  const settings: { -readonly [K in keyof SpaceSettings]: SpaceSettings[K] } = {};
  for (const [name, value] of Object.entries(table)) {
    const space = spaceKeys.find((key) => key === name);
    const inodes = inodeKeys.find((key) => key === name);
    if (space) settings[space] = readSpace(value, name, where);
    else if (inodes) {
      if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
        throw invalid(where, name, "is no number of inodes");
      settings[inodes] = value;
    } else {
      const hint = `known: ${["gc", "gcpolicy", ...spaceKeys, ...inodeKeys].join(", ")}; in gcpolicy also all, filters, keepDuration`;
      throw new VarveError("CONFIG_INVALID", `${where}: unknown setting "${name}"`, { hint });
    }
  }
  return settings;
}

function readSpace(value: unknown, name: string, where: string): DiskSpace {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return { bytes: value };
  const space = typeof value === "string" ? parseDiskSpace(value) : undefined;
  if (space === undefined) throw invalid(where, name, 'is no amount of disk (512000000, "512MB", "10%")');
  return space;
}

/** `10%`, or bytes with a binary unit, as go-units' RAMInBytes reads them; undefined for anything else. */
export function parseDiskSpace(text: string): DiskSpace | undefined {
  const percent = /^(\d{1,3})%$/.exec(text);
  if (percent) return { percent: Number(percent[1]) };
  const bytes = parseSize(text);
  return bytes === undefined ? undefined : { bytes };
}

function readDuration(value: unknown, where: string): number {
  const ms = readDurationMs(value);
  if (ms === undefined) throw invalid(where, "gcpolicy.keepDuration", 'is no duration (172800, "48h")');
  return ms;
}

/** As BuildKit: a percentage is rounded up to the next 1e9 bytes, counted in GiB. */
export function spaceBytes(space: DiskSpace, { totalBytes }: Pick<DiskFacts, "totalBytes">): number {
  if ("bytes" in space) return space.bytes;
  if (space.percent === 0) return 0;
  return (Math.floor((totalBytes * space.percent) / 100 / 2 ** 30) + 1) * 1e9;
}

function limitsOf(settings: SpaceSettings, disk: DiskFacts): SpaceLimits {
  const { reservedSpace, maxUsedSpace, minFreeSpace, maxUsedInodes, minFreeInodes } = settings;
  return {
    ...(reservedSpace && { reservedBytes: spaceBytes(reservedSpace, disk) }),
    ...(maxUsedSpace && { maxUsedBytes: spaceBytes(maxUsedSpace, disk) }),
    ...(minFreeSpace && { minFreeBytes: spaceBytes(minFreeSpace, disk) }),
    ...(maxUsedInodes !== undefined && { maxUsedInodes }),
    ...(minFreeInodes !== undefined && { minFreeInodes }),
  };
}

/**
 * The limits that hold at all times: those that the settings name themselves. What BuildKit assumes where nothing is set
 * is for garbage collection alone.
 */
export function quotaOf(settings: GcSettings, disk: DiskFacts): SpaceLimits | undefined {
  const limits = limitsOf(settings, disk);
  const { reservedBytes: _reserved, ...hard } = limits;
  return Object.values(hard).some(Boolean) ? limits : undefined;
}

/** BuildKit's: reserve 10 % of the disk, 10 GB at most; use 80 % and 100 GB at most; leave 20 % free. */
function defaultLimits(disk: DiskFacts): SpaceLimits {
  return {
    reservedBytes: Math.min(spaceBytes({ percent: 10 }, disk), 10e9),
    maxUsedBytes: Math.min(spaceBytes({ percent: 80 }, disk), 100e9),
    minFreeBytes: spaceBytes({ percent: 20 }, disk),
  };
}

const dayMs = 24 * 3_600_000;

/** The rules of garbage collection: those of the settings, or BuildKit's four. */
export function gcRules(settings: GcSettings, disk: DiskFacts): readonly PruneRule[] {
  const rule = (given: Partial<PruneRule>): PruneRule => ({
    all: false,
    matches: () => true,
    keepMs: 0,
    wholeStore: false,
    why: "garbage collection",
    ...given,
  });
  if (settings.gcpolicy) {
    return settings.gcpolicy.map(({ all, filters, keepMs, ...spaces }) =>
      rule({ all, matches: anyOf(filters), filters, keepMs, ...limitsOf(spaces, disk) }),
    );
  }
  const own = limitsOf(settings, disk);
  const limits = Object.keys(own).length > 0 ? own : defaultLimits(disk);
  const wholeStore = quotaOf(settings, disk) !== undefined;
  const cheap = ["type==source.local", "type==exec.cachemount", "type==source.git.checkout"];
  return [
    rule({ matches: anyOf(cheap), filters: [cheap.join(",")], keepMs: 2 * dayMs, maxUsedBytes: 512e6 }),
    rule({ keepMs: 60 * dayMs, wholeStore, ...limits }),
    rule({ wholeStore, ...limits }),
    rule({ all: true, wholeStore, ...limits }),
  ];
}

function anyOf(filters: readonly string[]): RecordFilter {
  const parsed = filters.map(parseConditions);
  return (record) => parsed.length === 0 || parsed.some((matches) => matches(record));
}

function invalid(where: string, name: string, what: string): VarveError {
  return new VarveError("CONFIG_INVALID", `${where}: ${name} ${what}`);
}
