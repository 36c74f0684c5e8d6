import type { UsageRecord } from "../../engine/index.ts";
import { formatAge } from "./durations.ts";
import { formatSize } from "./sizes.ts";

/** A cache record with the names of buildx's templates. */
export interface CacheRow {
  readonly CreatedAt: string;
  readonly Description: string;
  readonly ID: string;
  readonly LastUsedAt: string;
  readonly Mutable: boolean;
  readonly Parents: readonly string[];
  readonly Reclaimable: boolean;
  readonly Shared: boolean;
  readonly Size: string;
  readonly Type: string;
  readonly UsageCount: number;
}

export function cacheRow(record: UsageRecord, nowMs: number): CacheRow {
  return {
    CreatedAt: goTime(record.createdMs),
    Description: record.description,
    ID: record.id,
    LastUsedAt: record.lastUsedMs === undefined ? "" : formatAge(record.lastUsedMs, nowMs),
    Mutable: record.mutable,
    Parents: record.parents,
    Reclaimable: record.inUseBy === undefined,
    Shared: record.shared,
    Size: formatSize(record.bytes, 4),
    Type: record.type,
    UsageCount: record.usageCount,
  };
}

/** As buildx's table: a star marks what is mutable, and sizes that are shared. */
export function cacheCells({ ID, Mutable, Reclaimable, Size, Shared, LastUsedAt }: CacheRow): readonly string[] {
  return [`${ID}${Mutable ? "*" : ""}`, String(Reclaimable), `${Size}${Shared ? "*" : ""}`, LastUsedAt];
}

/** The heading of each field, for tables of the user's own. */
export const cacheRowHeadings = {
  CreatedAt: "CREATED AT",
  Description: "DESCRIPTION",
  ID: "ID",
  LastUsedAt: "LAST ACCESSED",
  Mutable: "MUTABLE",
  Parents: "PARENTS",
  Reclaimable: "RECLAIMABLE",
  Shared: "SHARED",
  Size: "SIZE",
  Type: "TYPE",
  UsageCount: "USAGE COUNT",
};

export const cacheHeadings = ["ID", "RECLAIMABLE", "SIZE", "LAST ACCESSED"] as const;

/** As buildx's `--verbose`; `notes` are lines of our own. */
export function prettyRecord(row: CacheRow, notes: readonly (readonly [name: string, text: string])[] = []): string {
  const line = (name: string, text: string) => `${`${name}:`.padEnd(13)} ${text}\n`;
  return [
    line("ID", row.ID),
    ...(row.Parents.length === 0 ? [] : ["Parents:\n", ...row.Parents.map((parent) => ` - ${parent}\n`)]),
    line("Created at", row.CreatedAt),
    line("Mutable", String(row.Mutable)),
    line("Reclaimable", String(row.Reclaimable)),
    line("Shared", String(row.Shared)),
    line("Size", row.Size),
    ...(row.Description === "" ? [] : [line("Description", row.Description)]),
    line("Usage count", String(row.UsageCount)),
    ...(row.LastUsedAt === "" ? [] : [line("Last used", row.LastUsedAt)]),
    line("Type", row.Type),
    ...notes.map(([name, text]) => line(name, text)),
    "\n",
  ].join("");
}

/** Lines of a name and a size, the sizes under one another, as Go's tabwriter sets them with tabs. */
export function formatTotals(totals: readonly (readonly [name: string, bytes: number])[]): string {
  const widest = Math.max(...totals.map(([name]) => name.length + 1));
  const column = (Math.floor(widest / 8) + 1) * 8;
  return totals
    .map(([name, bytes]) => `${name}:${"\t".repeat(Math.ceil((column - name.length - 1) / 8))}${formatSize(bytes, 4)}\n`)
    .join("");
}

/** A time as Go prints it. */
function goTime(ms: number): string {
  return `${new Date(ms)
    .toISOString()
    .replace("T", " ")
    .replace(/\.?0*Z$/, "")} +0000 UTC`;
}
