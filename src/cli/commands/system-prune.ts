import type { Varve } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { readPruneFilters } from "../containers/prune-filters.ts";
import { formatSize } from "../format/sizes.ts";
import { hasLabels } from "../networks/named-values.ts";
import { listRemoved, pruneNetworks } from "../networks/prune-networks.ts";
import { readImageFilters, type ImageFilters } from "../store-filters.ts";
import { listPruned } from "./image-prune.ts";

export const systemPrune = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    all: { kind: "bool", short: "a", help: "Remove all images and all build cache, not only what nothing refers to" },
    "dry-run": { kind: "bool", help: "Only list what would go" },
    filter: { kind: "list", help: "Remove only what meets a condition: until, label (which the cache has not)" },
    force: { kind: "bool", short: "f", help: "Do not ask" },
    volumes: { kind: "bool", help: "Remove anonymous volumes, too" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    const { dangling, ...filters } = readImageFilters(flags.filter, io.now());
    if (dangling !== undefined) throw new VarveError("FILTER_INVALID", "invalid filter 'dangling'");
    const containerFilters = readPruneFilters(flags.filter, io.now());
    const all = flags.all === true;
    const volumes = flags.volumes === true;
    if (volumes && filters.createdBeforeMs !== undefined)
      throw new VarveError("FILTER_INVALID", 'The "until" filter is not supported with "--volumes"');
    const dryRun = flags["dry-run"] === true;
    if (!dryRun && flags.force !== true && !(await confirm(question({ all, volumes }, flags.filter), io))) return;
    const store = await openStore();
    // in the order in which one lets go of the next
    const containers = await store.containers.prune({ filters: containerFilters, dryRun });
    io.stdout.print(listRemoved("Deleted Containers", containers.removed));
    io.stdout.print(listRemoved("Deleted Networks", await pruneNetworks(store.networks, filters, { dryRun })));
    let { freedBytes } = containers;
    if (volumes) {
      const gone = await pruneVolumes(store, filters, dryRun);
      io.stdout.print(listRemoved("Deleted Volumes", gone.removed));
      freedBytes += gone.freedBytes;
    }
    const pruned = await store.store.pruneImages({ ...filters, all, dryRun, signal: io.signal });
    io.stdout.print(listPruned(pruned));
    freedBytes += pruned.freedBytes;
    if (filters.labels.length === 0) {
      const keepMs = filters.createdBeforeMs === undefined ? 0 : Math.max(0, io.now() - filters.createdBeforeMs);
      const cache = await store.store.prune({ all, keepMs, dryRun, why: "system prune", signal: io.signal });
      freedBytes += cache.freedBytes;
      const ids = cache.removed.map(({ id }) => id);
      io.stdout.print(listRemoved("Deleted build cache objects", ids));
    }
    io.stdout.print(`Total reclaimed space: ${formatSize(freedBytes, 4)}\n`);
  },
});

/** Anonymous volumes that no container uses. */
async function pruneVolumes(
  { volumes }: Pick<Varve, "volumes">,
  { labels }: Pick<ImageFilters, "labels">,
  dryRun: boolean,
): Promise<{ readonly removed: readonly string[]; readonly freedBytes: number }> {
  const accepts = (volume: { readonly labels: Readonly<Record<string, string>> }): boolean =>
    labels.every(({ key, value, not }) => hasLabels(volume.labels, [value === undefined ? key : `${key}=${value}`]) !== not);
  if (!dryRun) return await volumes.prune({ accepts });
  const unused = volumes
    .list()
    .filter((volume) => volume.anonymous && accepts(volume) && volumes.usersOf(volume.name).length === 0);
  return { removed: unused.map(({ name }) => name), freedBytes: 0 };
}

function question({ all, volumes }: { readonly all: boolean; readonly volumes: boolean }, filters: readonly string[]): string {
  return [
    "WARNING! This will remove:",
    "  - all stopped containers",
    "  - all networks not used by at least one container",
    ...(volumes ? ["  - all anonymous volumes not used by at least one container"] : []),
    `  - ${all ? "all images without at least one container associated to them" : "all dangling images"}`,
    `  - ${all ? "all build cache" : "unused build cache"}`,
    "",
    ...(filters.length === 0
      ? []
      : ["  Items to be pruned will be filtered with:", ...filters.map((filter) => `  - ${filter}`), ""]),
    "Are you sure you want to continue?",
  ].join("\n");
}
