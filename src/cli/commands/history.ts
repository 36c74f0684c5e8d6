import type { ImageDetails } from "../../engine/index.ts";
import { defineCommand } from "../command.ts";
import { formatAge } from "../format/durations.ts";
import { formatSize } from "../format/sizes.ts";
import { formatTable, shortId, truncate } from "../format/table.ts";
import { compileTemplate } from "../format/template.ts";

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
    const render = flags.format === undefined || flags.format === "table" ? undefined : compileTemplate(flags.format);
    const store = await openStore();
    const image = await store.images.inspect(args[0] ?? "");
    const rows = historyRows(image, { nowMs: io.now(), human: flags.human !== false, noTrunc: flags["no-trunc"] === true });
    if (flags.quiet === true) for (const { ID } of rows) io.stdout.print(`${ID}\n`);
    else if (render !== undefined) for (const row of rows) io.stdout.print(`${render(row)}\n`);
    else {
      const cells = rows.map((row) => [row.ID, row.CreatedSince, row.CreatedBy, row.Size, row.Comment]);
      io.stdout.print(
        formatTable(["IMAGE", flags.human === false ? "CREATED AT" : "CREATED", "CREATED BY", "SIZE", "COMMENT"], cells),
      );
    }
  },
});

/** A line of `varve history`; the names of the fields are those of Docker's templates. */
interface HistoryRow {
  readonly ID: string;
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
      CreatedSince: options.human ? formatAge(created, options.nowMs) : (entry.created ?? ""),
      CreatedBy: options.noTrunc ? createdBy : truncate(createdBy, createdByWidth),
      Size: options.human ? formatSize(entry.sizeBytes) : String(entry.sizeBytes),
      Comment: entry.comment ?? "",
    };
  });
}
