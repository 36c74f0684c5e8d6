import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import {
  cacheCells,
  cacheHeadings,
  cacheRow,
  cacheRowHeadings,
  formatTotals,
  prettyRecord,
  type CacheRow,
} from "../format/cache-record.ts";
import { compileListing } from "../format/listing.ts";
import { formatTable } from "../format/table.ts";
import { readCacheFilters } from "../store-filters.ts";

export const du = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    builder: { kind: "string", help: "Builder to work with (default: BUILDX_BUILDER, or with buildx the one in use)" },
    filter: {
      kind: "list",
      help: "Show only what meets a condition: until, id, parents, description, type, inuse, mutable, immutable, shared, private",
    },
    format: { kind: "string", help: "Print each record by a template, or as table, pretty or json" },
    timeout: { kind: "string", hidden: true, help: "No effect: there is nothing to wait for" },
    verbose: { kind: "bool", help: "The same as --format=pretty" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    if (flags.format !== undefined && flags.verbose === true)
      throw new VarveError("USAGE", "--format and --verbose cannot be used together");
    const format = flags.verbose === true ? "pretty" : (flags.format ?? "table");
    const template = format === "table" || format === "pretty" ? undefined : compileListing<CacheRow>(format);
    const { conditions, keepMs } = readCacheFilters(flags.filter);
    const store = await openStore();
    const nowMs = io.now();
    const { records: all } = await store.store.usage({ filters: conditions, signal: io.signal });
    const records = all
      .filter(({ lastUsedMs, createdMs }) => keepMs === 0 || (lastUsedMs ?? createdMs) <= nowMs - keepMs)
      .toSorted((a, b) => a.bytes - b.bytes);
    const rows = records.map((record) => ({ record, row: cacheRow(record, nowMs) }));
    if (template !== undefined)
      io.stdout.print(template({ rows: rows.map(({ row }) => row), headings: cacheRowHeadings, columns: ["ID"] }));
    else if (format === "pretty") {
      for (const { record, row } of rows)
        io.stdout.print(prettyRecord(row, record.inUseBy === undefined ? [] : [["In use by", record.inUseBy]]));
    } else {
      io.stdout.print(
        formatTable(
          cacheHeadings,
          rows.map(({ row }) => cacheCells(row)),
        ),
      );
    }
    if (template !== undefined || flags.filter.length > 0) return;
    const sum = (of: typeof records) => of.reduce((total, { bytes }) => total + bytes, 0);
    const total = sum(records);
    const shared = sum(records.filter((record) => record.shared));
    io.stdout.print(
      formatTotals([
        ...(shared > 0
          ? ([
              ["Shared", shared],
              ["Private", total - shared],
            ] as const)
          : []),
        ["Reclaimable", sum(records.filter(({ inUseBy }) => inUseBy === undefined))],
        ["Total", total],
      ]),
    );
  },
});
