import { VarveError } from "../../errors/index.ts";
import type { ImageSummary } from "../../engine/index.ts";
import { defineCommand } from "../command.ts";
import { formatAge } from "../format/durations.ts";
import { formatSize } from "../format/sizes.ts";
import { formatTable, shortId } from "../format/table.ts";
import { compileTemplate } from "../format/template.ts";

export const images = defineCommand({
  usage: "[OPTIONS] [REPOSITORY[:TAG]]",
  flags: {
    all: { kind: "bool", short: "a", help: "Show all images; Varve keeps no intermediate ones, so this changes nothing" },
    digests: { kind: "bool", help: "Show digests" },
    filter: { kind: "list", short: "f", help: "Show only what meets a condition", only: [] },
    format: { kind: "string", help: "Print each image by a template, or as json" },
    "no-trunc": { kind: "bool", help: "Show whole IDs" },
    quiet: { kind: "bool", short: "q", help: "Show IDs only" },
    tree: { kind: "bool", help: "Show images of several platforms as a tree", only: ["false"] },
  },
  args: { min: 0, max: 1 },
  async run({ flags, args, io, openStore }) {
    const render =
      flags.format === undefined || flags.format === "table" ? undefined : compileTemplate(refuseTable(flags.format));
    const store = await openStore();
    const wanted = args[0];
    const rows = (await store.images.list())
      .flatMap((image) => imageRows(image, { nowMs: io.now(), noTrunc: flags["no-trunc"] === true }))
      .filter((row) => wanted === undefined || row.Repository === wanted || `${row.Repository}:${row.Tag}` === wanted);
    if (flags.quiet === true) {
      for (const id of new Set(rows.map(({ ID }) => ID))) io.stdout.print(`${id}\n`);
    } else if (render !== undefined) {
      for (const row of rows) io.stdout.print(`${render(row)}\n`);
    } else io.stdout.print(imageTable(rows, { digests: flags.digests === true }));
  },
});

/** A line of `varve images`; the names of the fields are those of Docker's templates. */
export interface ImageRow {
  readonly Repository: string;
  readonly Tag: string;
  readonly Digest: string;
  readonly ID: string;
  readonly CreatedSince: string;
  readonly CreatedAt: string;
  readonly Size: string;
}

/** One row for each name of an image, or one row of `<none>`. */
export function imageRows(
  image: ImageSummary,
  options: { readonly nowMs: number; readonly noTrunc: boolean },
): readonly ImageRow[] {
  const row = (Repository: string, Tag: string): ImageRow => ({
    Repository,
    Tag,
    Digest: image.digests.find((name) => name.startsWith(`${Repository}@`))?.slice(Repository.length + 1) ?? "<none>",
    ID: options.noTrunc ? image.id : shortId(image.id),
    CreatedSince: formatAge(image.createdMs, options.nowMs),
    CreatedAt: new Date(image.createdMs).toISOString(),
    Size: formatSize(image.sizeBytes),
  });
  if (image.names.length === 0) return [row("<none>", "<none>")];
  return image.names.map((name) => row(...splitName(name)));
}

export function imageTable(rows: readonly ImageRow[], options: { readonly digests: boolean }): string {
  const digest = options.digests ? ["DIGEST"] : [];
  return formatTable(
    ["REPOSITORY", "TAG", ...digest, "IMAGE ID", "CREATED", "SIZE"],
    rows.map((row) => [row.Repository, row.Tag, ...(options.digests ? [row.Digest] : []), row.ID, row.CreatedSince, row.Size]),
  );
}

/** `registry:5000/name:tag` → name and tag; a colon before the last slash belongs to a port. */
function splitName(name: string): readonly [repository: string, tag: string] {
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/") ? [name.slice(0, colon), name.slice(colon + 1)] : [name, "<none>"];
}

function refuseTable(format: string): string {
  if (format.startsWith("table ")) throw new VarveError("NOT_SUPPORTED_YET", "--format=table with columns is not supported yet");
  return format;
}
