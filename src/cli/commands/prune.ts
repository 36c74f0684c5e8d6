import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { cacheCells, cacheHeadings, cacheRow, formatTotals, prettyRecord } from "../format/cache-record.ts";
import { parseSizeFlag } from "../format/sizes.ts";
import { formatTable } from "../format/table.ts";
import { readCacheFilters } from "../store-filters.ts";

export const prune = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    all: { kind: "bool", short: "a", help: "Also forget results whose files images need, and internal records" },
    builder: { kind: "string", help: "Builder to work with (default: BUILDX_BUILDER, or with buildx the one in use)" },
    "dry-run": { kind: "bool", help: "Only list what would go, and why" },
    filter: {
      kind: "list",
      help: "Remove only what meets a condition: until, unused-for, id, parents, description, type, inuse, mutable, immutable, shared, private",
    },
    force: { kind: "bool", short: "f", help: "Do not ask" },
    "keep-storage": { kind: "string", help: "Older name of --reserved-space" },
    "max-used-space": { kind: "string", help: "Remove until the cache takes no more than this" },
    "min-free-space": { kind: "string", help: "Remove until this much of the disk is free" },
    "reserved-space": { kind: "string", help: "Keep this much of the cache" },
    timeout: { kind: "string", hidden: true, help: "No effect: there is nothing to wait for" },
    verbose: { kind: "bool", help: "Say all that is known of each record" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    const { conditions, keepMs } = readCacheFilters(flags.filter);
    const sizeOf = (name: "keep-storage" | "max-used-space" | "min-free-space" | "reserved-space") => {
      const text = flags[name];
      return text === undefined ? undefined : parseSizeFlag(text, `--${name}`);
    };
    const limits = {
      reservedBytes: sizeOf("reserved-space") ?? sizeOf("keep-storage"),
      maxUsedBytes: sizeOf("max-used-space"),
      minFreeBytes: sizeOf("min-free-space"),
    };
    if (flags["keep-storage"] !== undefined)
      io.stderr.print("Flag --keep-storage has been deprecated, keep-storage flag has been changed to reserved-space\n");
    const dryRun = flags["dry-run"] === true;
    const what = flags.all === true ? "all build cache" : "all dangling build cache";
    const asked = `WARNING! This will remove ${what}. Are you sure you want to continue?`;
    if (!dryRun && flags.force !== true && !(await confirm(asked, io))) return;
    const store = await openStore();
    const { removed, freedBytes } = await store.store.prune({
      all: flags.all === true,
      filters: conditions,
      keepMs,
      dryRun,
      signal: io.signal,
      ...(limits.reservedBytes === undefined ? {} : { reservedBytes: limits.reservedBytes }),
      ...(limits.maxUsedBytes === undefined ? {} : { maxUsedBytes: limits.maxUsedBytes }),
      ...(limits.minFreeBytes === undefined ? {} : { minFreeBytes: limits.minFreeBytes }),
    });
    const rows = removed.map((record) => ({ record, row: cacheRow(record, io.now()) }));
    if (flags.verbose === true)
      for (const { record, row } of rows) io.stdout.print(prettyRecord(row, [["Reason", record.reason]]));
    else if (rows.length > 0) {
      const reason = (text: string) => (dryRun ? [text] : []);
      io.stdout.print(
        formatTable(
          [...cacheHeadings, ...reason("REASON"), ...reason("DESCRIPTION")],
          rows.map(({ record, row }) => [...cacheCells(row), ...reason(record.reason), ...reason(record.description)]),
        ),
      );
    }
    io.stdout.print(formatTotals([["Total", freedBytes]]));
  },
});
