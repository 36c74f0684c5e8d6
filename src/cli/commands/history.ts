import type { ImageDetails } from "../../engine/index.ts";
import { defineCommand } from "../command.ts";
import { formatAge } from "../format/durations.ts";
import { compileListing } from "../format/listing.ts";
import { formatSize } from "../format/sizes.ts";
import { shortId, truncate } from "../format/table.ts";

const createdByWidth = 45;

export const history = defineCommand({
  usage: "[OPTIONS] IMAGE",
  flags: {
    format: { kind: "string", help: "Print each entry by a template, or as json" },
    human: { kind: "bool", short: "H", help: "Sizes and ages for people (default true)" },
    "no-trunc": { kind: "bool", help: "Show everything in full" },
    platform: { kind: "string", help: "Platform to show of an image with several", only: [] },
    quiet: { kind: "bool", short: "q", help: "Show IDs only" },
  },
  args: { min: 1, max: 1 },
  async run({ flags, args, io, openStore }) {
    const print = compileListing<HistoryRow>(flags.quiet === true ? "{{.ID}}" : flags.format);
    const store = await openStore();
    const image = await store.images.inspect(args[0] ?? "");
    const human = flags.human !== false;
    const rows = historyRows(image, { nowMs: io.now(), human, noTrunc: flags["no-trunc"] === true });
    io.stdout.print(
      print({
        rows,
        headings,
        columns: ["ID", human ? "CreatedSince" : "CreatedAt", "CreatedBy", "Size", "Comment"],
      }),
    );
  },
});

const headings = {
  ID: "IMAGE",
  CreatedAt: "CREATED AT",
  CreatedSince: "CREATED",
  CreatedBy: "CREATED BY",
  Size: "SIZE",
  Comment: "COMMENT",
};

/** A line of `varve history`; the names of the fields are those of Docker's templates. */
interface HistoryRow {
  readonly ID: string;
  readonly CreatedAt: string;
  readonly CreatedSince: string;
  readonly CreatedBy: string;
  readonly Size: string;
  readonly Comment: string;
}

/** Newest first. Only the newest entry has an ID, the image's: the others' images were never made. */
export function historyRows(
  image: ImageDetails,
  options: { readonly nowMs: number; readonly human: boolean; readonly noTrunc: boolean },
): readonly HistoryRow[] {
  return image.history.map((entry, index) => {
    const id = options.noTrunc ? image.id : shortId(image.id);
    const created = entry.created === undefined ? undefined : Date.parse(entry.created);
    const createdBy = (entry.created_by ?? "").replaceAll("\t", " ");
    return {
      ID: index === 0 ? id : "<missing>",
      CreatedAt: entry.created === undefined ? "" : entry.created.replace(/\.\d+(?=Z$)/, ""),
      CreatedSince: formatAge(created, options.nowMs),
      CreatedBy: options.noTrunc ? createdBy : truncate(createdBy, createdByWidth),
      Size: options.human ? formatSize(entry.sizeBytes) : String(entry.sizeBytes),
      Comment: entry.comment ?? "",
    };
  });
}
