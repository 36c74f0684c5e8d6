import type { ImageSummary, Varve } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { formatAge } from "../format/durations.ts";
import { formatGoTime } from "../format/go-time.ts";
import { compileListing } from "../format/listing.ts";
import { formatSize } from "../format/sizes.ts";
import { shortId } from "../format/table.ts";
import { formatImageTree } from "../images/image-tree.ts";
import { matchesReference, readListFilters, type ListFilters } from "../images/image-filters.ts";

export const images = defineCommand({
  usage: "[OPTIONS] [REPOSITORY[:TAG]]",
  flags: {
    all: { kind: "bool", short: "a", help: "Show all images; Varve keeps no intermediate ones, so this changes nothing" },
    digests: { kind: "bool", help: "Show digests" },
    filter: {
      kind: "list",
      short: "f",
      help: "Show only what meets a condition: dangling, label, before, since, reference, until",
    },
    format: { kind: "string", help: "Print each image by a template, or as table or json" },
    "no-trunc": { kind: "bool", help: "Show whole IDs" },
    quiet: { kind: "bool", short: "q", help: "Show IDs only" },
    tree: { kind: "bool", help: "Show each image with those for its platforms below it" },
  },
  args: { min: 0, max: 1 },
  async run({ flags, args, io, openStore }) {
    const digests = flags.digests === true;
    const print = compileListing<ImageRow>(flags.quiet === true ? "{{.ID}}" : flags.format === "raw" ? raw : flags.format);
    // as in Docker, a template that asks for digests gets them
    const showsDigest = digests || (flags.format?.includes("{{.Digest}}") ?? false);
    const filters = readListFilters(flags.filter, io.now());
    const patterns = [...filters.references, ...args];
    if (flags.tree === true) {
      for (const [flag, name] of notWithTree)
        if (flags[flag] !== undefined && flags[flag] !== false)
          throw new VarveError("USAGE", `--${name} is not yet supported with --tree`);
      const store = await openStore();
      const chosen = new Set((await selectImages(store, filters)).map(({ id }) => id));
      const trees = (await store.images.tree()).flatMap((tree) => {
        const names = tree.names.filter((name) => patterns.every((pattern) => matchesReference(pattern, name)));
        const isHidden = names.length === 0 && (tree.names.length > 0 || patterns.length > 0 || flags.all !== true);
        return isHidden || !chosen.has(tree.image) ? [] : [{ ...tree, names }];
      });
      io.stderr.print("WARNING: This is an experimental feature. The output may change and shouldn't be depended on.\n");
      const { isTerminal, size } = io.stdout;
      const colors = isTerminal && (io.env["NO_COLOR"] ?? "") === "";
      io.stdout.print(formatImageTree(trees, { columns: isTerminal ? (size?.().columns ?? 80) : 80, colors }));
      return;
    }
    const rows = (await selectImages(await openStore(), filters)).flatMap((image) => {
      const names = image.names.filter((name) => patterns.every((pattern) => matchesReference(pattern, name)));
      if (names.length === 0 && (image.names.length > 0 || patterns.length > 0)) return [];
      return imageRows({ ...image, names }, { nowMs: io.now(), noTrunc: flags["no-trunc"] === true, digests: showsDigest });
    });
    const columns = ["Repository", "Tag", ...(digests ? ["Digest" as const] : []), "ID", "CreatedSince", "Size"] as const;
    io.stdout.print(print({ rows, headings, columns }));
  },
});

async function selectImages({ images: store }: Varve, filters: ListFilters): Promise<readonly ImageSummary[]> {
  const timeOf = async (name: string): Promise<number> => (await store.inspect(name)).createdMs;
  const before = Math.min(...(await Promise.all(filters.before.map(timeOf))));
  const since = Math.max(...(await Promise.all(filters.since.map(timeOf))));
  return (await store.list()).filter((image) => filters.accepts(image) && image.createdMs < before && image.createdMs > since);
}

const notWithTree = [
  ["quiet", "quiet"],
  ["no-trunc", "no-trunc"],
  ["digests", "show-digest"],
  ["format", "format"],
] as const;

/** The older form of the list, which `--format=raw` names. */
const raw =
  "repository: {{.Repository}}\\n{{if .Tag}}tag: {{.Tag}}\\n{{end}}image_id: {{.ID}}\\ncreated_at: {{.CreatedAt}}\\nvirtual_size: {{.Size}}\\n";

const headings = {
  Repository: "REPOSITORY",
  Tag: "TAG",
  Digest: "DIGEST",
  ID: "IMAGE ID",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  Size: "SIZE",
  VirtualSize: "SIZE",
  Containers: "CONTAINERS",
  SharedSize: "SHARED SIZE",
  UniqueSize: "UNIQUE SIZE",
};

/** A line of `varve images`; the names of the fields are those of Docker's templates. */
export interface ImageRow {
  readonly Repository: string;
  readonly Tag: string;
  readonly Digest: string;
  readonly ID: string;
  readonly CreatedSince: string;
  readonly CreatedAt: string;
  readonly Size: string;
  readonly VirtualSize: string;
  readonly Containers: "N/A";
  readonly SharedSize: "N/A";
  readonly UniqueSize: "N/A";
}

/** One row for each name of an image, or one row of `<none>`. */
export function imageRows(
  image: ImageSummary,
  options: { readonly nowMs: number; readonly noTrunc: boolean; readonly digests: boolean },
): readonly ImageRow[] {
  const digestOf = (repository: string): string | undefined =>
    image.digests.find((name) => name.startsWith(`${repository}@`))?.slice(repository.length + 1);
  const row = (Repository: string, Tag: string): ImageRow => ({
    Repository,
    Tag,
    Digest: (options.digests ? digestOf(Repository) : undefined) ?? "<none>",
    ID: options.noTrunc ? image.id : shortId(image.id),
    CreatedSince: formatAge(image.createdMs, options.nowMs),
    CreatedAt: formatGoTime(image.createdMs),
    Size: formatSize(image.sizeBytes),
    VirtualSize: formatSize(image.sizeBytes),
    Containers: "N/A",
    SharedSize: "N/A",
    UniqueSize: "N/A",
  });
  if (image.names.length === 0) return [row("<none>", "<none>")];
  return image.names.map((name) => row(...splitName(name)));
}

/** `registry:5000/name:tag` → name and tag; a colon before the last slash belongs to a port. */
function splitName(name: string): readonly [repository: string, tag: string] {
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/") ? [name.slice(0, colon), name.slice(colon + 1)] : [name, "<none>"];
}
