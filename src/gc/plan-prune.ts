import { bytesText } from "./size-text.ts";
import type { DiskFacts, PruneRule, StoreRecord, Victim } from "./types.ts";

/**
 * What goes under a list of rules, in the order in which it goes: least recently used first, and nothing before what stands
 * on it. A use of a record is a use of all that it stands on. Pure.
 */
export function planPrune(
  records: readonly StoreRecord[],
  rules: readonly PruneRule[],
  { nowMs, disk }: { readonly nowMs: number; readonly disk: DiskFacts },
): readonly Victim[] {
  const family = relate(records);
  const gone = new Set<string>();
  const victims: Victim[] = [];
  let freed = { bytes: 0, inodes: 0 };
  for (const rule of rules) {
    const excess = measureExcess(records, rule, { gone, freed, disk });
    if (excess.limited && !excess.by) continue;
    for (const record of family.oldestFirst) {
      if (excess.limited && (excess.bytes <= 0 || !excess.by) && excess.inodes <= 0) break;
      if (gone.has(record.id) || !mayGo(record, rule, { family, gone, nowMs, limited: excess.limited })) continue;
      gone.add(record.id);
      const frees = record.sharedWith === undefined;
      victims.push({ record, frees, why: rule.why, reason: reasonOf(record, rule, excess.by, { nowMs, family }) });
      if (!frees) continue;
      freed = { bytes: freed.bytes + record.bytes, inodes: freed.inodes + record.inodes };
      excess.bytes -= record.bytes;
      excess.inodes -= record.inodes;
    }
  }
  return victims;
}

interface Family {
  readonly oldestFirst: readonly StoreRecord[];
  readonly children: ReadonlyMap<string, readonly string[]>;
  /** Time of the last use of a record or of anything that stands on it. */
  readonly usedMs: ReadonlyMap<string, number>;
}

function relate(records: readonly StoreRecord[]): Family {
  const byId = new Map(records.map((record) => [record.id, record]));
  const children = new Map<string, string[]>();
  for (const { id, parents } of records) {
    for (const parent of parents) {
      const list = children.get(parent);
      if (list) list.push(id);
      else children.set(parent, [id]);
    }
  }
  const depths = new Map<string, number>();
  const depthOf = (id: string): number => {
    const known = depths.get(id);
    if (known !== undefined) return known;
    depths.set(id, 0);
    const depth = 1 + Math.max(-1, ...(byId.get(id)?.parents ?? []).map(depthOf));
    depths.set(id, depth);
    return depth;
  };
  const deepestFirst = [...records].sort((a, b) => depthOf(b.id) - depthOf(a.id));
  const usedMs = new Map(records.map((record) => [record.id, record.lastUsedMs ?? record.createdMs]));
  for (const { id, parents } of deepestFirst) {
    for (const parent of parents) usedMs.set(parent, Math.max(usedMs.get(parent) ?? 0, usedMs.get(id) ?? 0));
  }
  const oldestFirst = deepestFirst.sort((a, b) => (usedMs.get(a.id) ?? 0) - (usedMs.get(b.id) ?? 0));
  return { oldestFirst, children, usedMs };
}

interface Excess {
  /** The rule has limits at all. */
  readonly limited: boolean;
  /** The limit that is passed, for people; undefined where none is. */
  readonly by: string | undefined;
  bytes: number;
  inodes: number;
}

/** By how much the limits of a rule are passed. As BuildKit: never below what is reserved. */
function measureExcess(
  records: readonly StoreRecord[],
  rule: PruneRule,
  { gone, freed, disk }: { gone: ReadonlySet<string>; freed: { bytes: number; inodes: number }; disk: DiskFacts },
): Excess {
  const { maxUsedBytes, minFreeBytes, reservedBytes = 0, maxUsedInodes, minFreeInodes } = rule;
  const limited = [maxUsedBytes, minFreeBytes, rule.reservedBytes, maxUsedInodes, minFreeInodes].some(Boolean);
  if (!limited) return { limited, by: undefined, bytes: 0, inodes: 0 };
  const counted = records.filter(({ id, sharedWith }) => !gone.has(id) && (rule.wholeStore || sharedWith === undefined));
  const used = counted.reduce((sum, { bytes }) => sum + bytes, 0);
  const usedInodes = counted.reduce((sum, { inodes }) => sum + inodes, 0);
  const free = disk.freeBytes + freed.bytes;
  const freeInodes = disk.freeInodes + freed.inodes;
  const overMax = maxUsedBytes ? used - maxUsedBytes : -Infinity;
  const underFree = minFreeBytes ? minFreeBytes - free : -Infinity;
  // reserved alone: everything above it goes
  const overReserved = maxUsedBytes || minFreeBytes || maxUsedInodes || minFreeInodes ? -Infinity : used - reservedBytes;
  const bytes = Math.min(Math.max(overMax, underFree, overReserved), used - reservedBytes);
  const inodes = Math.max(
    maxUsedInodes ? usedInodes - maxUsedInodes : 0,
    minFreeInodes && disk.totalInodes > 0 ? minFreeInodes - freeInodes : 0,
    0,
  );
  const by =
    bytes > 0
      ? overMax >= underFree && overMax >= overReserved
        ? `the limit of ${bytesText(maxUsedBytes ?? 0)} is passed by ${bytesText(overMax)}`
        : underFree >= overReserved
          ? `${bytesText(underFree)} are missing to ${bytesText(minFreeBytes ?? 0)} of free space`
          : `${bytesText(overReserved)} more than the ${bytesText(reservedBytes)} to keep`
      : inodes > 0
        ? `${inodes} inodes too many`
        : undefined;
  return { limited, by, bytes, inodes };
}

function mayGo(
  record: StoreRecord,
  rule: PruneRule,
  options: { readonly family: Family; readonly gone: ReadonlySet<string>; readonly nowMs: number; readonly limited: boolean },
): boolean {
  const { family, gone, nowMs, limited } = options;
  const { holder, sharedWith, type, cached } = record;
  if (holder !== undefined) return false;
  // forgetting what stays on the disk makes no room
  if (sharedWith !== undefined && (!rule.all || !cached || limited)) return false;
  if ((type === "internal" || type === "frontend") && !rule.all) return false;
  if (rule.keepMs > 0 && (family.usedMs.get(record.id) ?? 0) > nowMs - rule.keepMs) return false;
  if (!rule.matches(record)) return false;
  return (family.children.get(record.id) ?? []).every((child) => gone.has(child));
}

function reasonOf(
  record: StoreRecord,
  rule: PruneRule,
  excess: string | undefined,
  { nowMs, family }: { readonly nowMs: number; readonly family: Family },
): string {
  const age = ageText(nowMs - (family.usedMs.get(record.id) ?? nowMs));
  if (record.sharedWith !== undefined) return `the cache forgets it, its files stay for ${record.sharedWith}`;
  if (excess !== undefined) return `${excess}, and it was used longest ago (${age})`;
  if (record.type === "regular" && !record.cached && record.thing.startsWith("snapshot/")) return "nothing refers to it";
  return `not used for ${age}`;
}

function ageText(ms: number): string {
  const units = [
    [86_400_000, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
    [1000, "second"],
  ] as const;
  for (const [unit, name] of units) {
    const count = Math.floor(ms / unit);
    if (count >= 1) return `${count} ${name}${count === 1 ? "" : "s"}`;
  }
  return "less than a second";
}
