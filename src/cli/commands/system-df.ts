import type { Container } from "../../containers/index.ts";
import type { StoreUsage, Varve } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { containerRow } from "../containers/container-row.ts";
import { formatAge } from "../format/durations.ts";
import { compileListing } from "../format/listing.ts";
import { formatSize } from "../format/sizes.ts";
import { formatTable, shortId } from "../format/table.ts";
import { imageRows } from "./images.ts";
import { namesOfImages } from "./ps.ts";

export const systemDf = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    format: { kind: "string", help: "Print each line by a template, or as json" },
    verbose: { kind: "bool", short: "v", help: "Show each image, container, volume and record of the cache" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    if (flags.format !== undefined && flags.verbose === true)
      throw new VarveError("NOT_SUPPORTED_YET", "--format with --verbose is not supported yet");
    const print = compileListing<DfRow>(flags.format);
    const store = await openStore();
    const usage = await store.store.usage({ signal: io.signal });
    const used = { ...usage, containers: await measureContainers(store), volumes: await measureVolumes(store) };
    if (flags.verbose === true) return io.stdout.print(details(used, { nowMs: io.now(), isNamed: await namesOfImages(store) }));
    io.stdout.print(print({ rows: summarize(used), headings, columns: ["Type", "TotalCount", "Active", "Size", "Reclaimable"] }));
  },
});

/** What a store holds, containers and volumes, too. */
interface Usage extends StoreUsage {
  readonly containers: readonly { readonly container: Container; readonly bytes: number }[];
  readonly volumes: readonly { readonly name: string; readonly users: number; readonly bytes: number }[];
}

async function measureContainers({ containers }: Varve): Promise<Usage["containers"]> {
  const measured: Usage["containers"][number][] = [];
  for (const container of await containers.list())
    measured.push({ container, bytes: (await containers.size(container.id)).writtenBytes });
  return measured;
}

async function measureVolumes({ volumes }: Varve): Promise<Usage["volumes"]> {
  const measured: Usage["volumes"][number][] = [];
  for (const { name } of volumes.list())
    measured.push({ name, users: volumes.usersOf(name).length, bytes: await volumes.measure(name) });
  return measured;
}

const headings = { Type: "TYPE", TotalCount: "TOTAL", Active: "ACTIVE", Size: "SIZE", Reclaimable: "RECLAIMABLE" };

/** A line of `docker system df`, with the names of its templates. */
interface DfRow {
  readonly Type: string;
  readonly TotalCount: string;
  readonly Active: string;
  readonly Size: string;
  readonly Reclaimable: string;
}

/** As Docker counts; what images need is not counted as cache again. */
function summarize({ images, containers, volumes, records }: Usage): readonly DfRow[] {
  const cache = records.filter(({ shared }) => !shared);
  const sum = (of: readonly { readonly bytes: number }[]) => of.reduce((total, { bytes }) => total + bytes, 0);
  const inUse = records.filter(({ shared, inUseBy }) => !shared && inUseBy !== undefined).length;
  const imageIds = new Set<string>(containers.map(({ container }) => container.config.imageId));
  const usedImages = images.images.filter(({ id }) => imageIds.has(id));
  const isUp = ({ container: { state } }: Usage["containers"][number]): boolean =>
    state.status === "running" || state.status === "paused" || state.status === "restarting";
  return [
    {
      Type: "Images",
      TotalCount: String(images.images.length),
      Active: String(usedImages.length),
      Size: formatSize(images.bytes, 4),
      Reclaimable: partOf(images.bytes - sum(usedImages.map(({ uniqueBytes: bytes }) => ({ bytes }))), images.bytes),
    },
    {
      Type: "Containers",
      TotalCount: String(containers.length),
      Active: String(containers.filter(isUp).length),
      Size: formatSize(sum(containers), 4),
      Reclaimable: partOf(sum(containers.filter((each) => !isUp(each))), sum(containers)),
    },
    {
      Type: "Local Volumes",
      TotalCount: String(volumes.length),
      Active: String(volumes.filter(({ users }) => users > 0).length),
      Size: formatSize(sum(volumes), 4),
      Reclaimable: partOf(sum(volumes.filter(({ users }) => users === 0)), sum(volumes)),
    },
    {
      Type: "Build Cache",
      TotalCount: String(records.length),
      Active: String(inUse),
      Size: formatSize(sum(cache), 4),
      Reclaimable: formatSize(sum(cache.filter(({ inUseBy }) => inUseBy === undefined)), 4),
    },
  ];
}

function partOf(bytes: number, all: number): string {
  return all > 0 ? `${formatSize(bytes, 4)} (${Math.trunc((bytes * 100) / all)}%)` : formatSize(bytes, 4);
}

function details(
  { images, containers, volumes, records }: Usage,
  { nowMs, isNamed }: { readonly nowMs: number; readonly isNamed: (container: Container) => boolean },
): string {
  const usersOf = (image: string) => containers.filter(({ container }) => container.config.imageId === image).length;
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
      String(usersOf(id)),
    ]);
  });
  const containerLines = containers.map(({ container, bytes }) => {
    const row = containerRow(container, { nowMs, noTrunc: false, isNamed: isNamed(container) });
    return [row.ID, row.Image, row.Command, row.LocalVolumes, formatSize(bytes, 3), row.RunningFor, row.Status, row.Names];
  });
  const volumeLines = volumes.map(({ name, users, bytes }) => [name, String(users), formatSize(bytes, 4)]);
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
    formatTable(["CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES"], containerLines),
    "\nLocal Volumes space usage:\n\n",
    formatTable(["VOLUME NAME", "LINKS", "SIZE"], volumeLines),
    `\nBuild cache usage: ${formatSize(cacheBytes, 4)}\n\n`,
    formatTable(["CACHE ID", "CACHE TYPE", "SIZE", "CREATED", "LAST USED", "USAGE", "SHARED"], cacheLines),
  ].join("");
}
