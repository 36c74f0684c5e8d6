import type { StoreUsage } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { formatAge } from "../format/durations.ts";
import { compileListing } from "../format/listing.ts";
import { formatSize } from "../format/sizes.ts";
import { formatTable, shortId } from "../format/table.ts";
import { imageRows } from "./images.ts";

export const systemDf = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    format: { kind: "string", help: "Print each line by a template, or as json" },
    verbose: { kind: "bool", short: "v", help: "Show each image and each record of the cache" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    if (flags.format !== undefined && flags.verbose === true)
      throw new VarveError("NOT_SUPPORTED_YET", "--format with --verbose is not supported yet");
    const print = compileListing<DfRow>(flags.format);
    const store = await openStore();
    const usage = await store.store.usage({ signal: io.signal });
    if (flags.verbose === true) return io.stdout.print(details(usage, io.now()));
    io.stdout.print(
      print({ rows: summarize(usage), headings, columns: ["Type", "TotalCount", "Active", "Size", "Reclaimable"] }),
    );
  },
});

const headings = { Type: "TYPE", TotalCount: "TOTAL", Active: "ACTIVE", Size: "SIZE", Reclaimable: "RECLAIMABLE" };

/** A line of `docker system df`, with the names of its templates. */
interface DfRow {
  readonly Type: string;
  readonly TotalCount: string;
  readonly Active: string;
  readonly Size: string;
  readonly Reclaimable: string;
}

/** As Docker counts: there are no containers, so no image is active; what images need is not counted as cache again. */
function summarize({ images, records }: StoreUsage): readonly DfRow[] {
  const cache = records.filter(({ shared }) => !shared);
  const sum = (of: typeof cache) => of.reduce((total, { bytes }) => total + bytes, 0);
  const inUse = records.filter(({ shared, inUseBy }) => !shared && inUseBy !== undefined).length;
  const size = formatSize(images.bytes, 4);
  const nothing = { TotalCount: "0", Active: "0", Size: "0B", Reclaimable: "0B" };
  return [
    {
      Type: "Images",
      TotalCount: String(images.images.length),
      Active: "0",
      Size: size,
      Reclaimable: images.bytes > 0 ? `${size} (100%)` : size,
    },
    { Type: "Containers", ...nothing },
    { Type: "Local Volumes", ...nothing },
    {
      Type: "Build Cache",
      TotalCount: String(records.length),
      Active: String(inUse),
      Size: formatSize(sum(cache), 4),
      Reclaimable: formatSize(sum(cache.filter(({ inUseBy }) => inUseBy === undefined)), 4),
    },
  ];
}

function details({ images, records }: StoreUsage, nowMs: number): string {
  const imageLines = images.images.flatMap(({ id, names, createdMs, sharedBytes, uniqueBytes }) => {
    const summary = {
      id,
      names,
      digests: [],
      createdMs,
      sizeBytes: sharedBytes + uniqueBytes,
      labels: {},
    };
    return imageRows(summary, { nowMs, noTrunc: false, digests: false }).map((row) => [
      row.Repository,
      row.Tag,
      row.ID,
      row.CreatedSince,
      formatSize(sharedBytes + uniqueBytes, 3),
      formatSize(sharedBytes, 4),
      formatSize(uniqueBytes, 4),
      "0",
    ]);
  });
  const cacheLines = records
    .toSorted((a, b) => a.bytes - b.bytes)
    .map((record) => [
      `${shortId(record.id)}${record.mutable ? "*" : ""}`,
      record.type,
      formatSize(record.bytes),
      formatAge(record.createdMs, nowMs),
      record.lastUsedMs === undefined ? "" : formatAge(record.lastUsedMs, nowMs),
      String(record.usageCount),
      String(record.shared),
    ]);
  const cacheBytes = records.filter(({ shared }) => !shared).reduce((total, { bytes }) => total + bytes, 0);
  return [
    "Images space usage:\n\n",
    formatTable(["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"], imageLines),
    "\nContainers space usage:\n\n",
    formatTable(["CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES"], []),
    "\nLocal Volumes space usage:\n\n",
    formatTable(["VOLUME NAME", "LINKS", "SIZE"], []),
    `\nBuild cache usage: ${formatSize(cacheBytes, 4)}\n\n`,
    formatTable(["CACHE ID", "CACHE TYPE", "SIZE", "CREATED", "LAST USED", "USAGE", "SHARED"], cacheLines),
  ].join("");
}
