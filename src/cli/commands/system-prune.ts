import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { formatSize } from "../format/sizes.ts";
import { readImageFilters } from "../store-filters.ts";
import { listPruned } from "./image-prune.ts";

export const systemPrune = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    all: { kind: "bool", short: "a", help: "Remove all images and all build cache, not only what nothing refers to" },
    "dry-run": { kind: "bool", help: "Only list what would go" },
    filter: { kind: "list", help: "Remove only what meets a condition: until, label (which the cache has not)" },
    force: { kind: "bool", short: "f", help: "Do not ask" },
    volumes: { kind: "bool", help: "Remove anonymous volumes; Varve has none", only: ["false"] },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    const { dangling, ...filters } = readImageFilters(flags.filter, io.now());
    if (dangling !== undefined) throw new VarveError("FILTER_INVALID", "invalid filter 'dangling'");
    const all = flags.all === true;
    const dryRun = flags["dry-run"] === true;
    if (!dryRun && flags.force !== true && !(await confirm(question(all, flags.filter), io))) return;
    const store = await openStore();
    const pruned = await store.store.pruneImages({ ...filters, all, dryRun, signal: io.signal });
    io.stdout.print(listPruned(pruned));
    let freedBytes = pruned.freedBytes;
    if (filters.labels.length === 0) {
      const keepMs = filters.createdBeforeMs === undefined ? 0 : Math.max(0, io.now() - filters.createdBeforeMs);
      const cache = await store.store.prune({ all, keepMs, dryRun, why: "system prune", signal: io.signal });
      freedBytes += cache.freedBytes;
      if (cache.removed.length > 0)
        io.stdout.print(`Deleted build cache objects:\n${cache.removed.map(({ id }) => `${id}\n`).join("")}\n`);
    }
    io.stdout.print(`Total reclaimed space: ${formatSize(freedBytes, 4)}\n`);
  },
});

function question(all: boolean, filters: readonly string[]): string {
  return [
    "WARNING! This will remove:",
    `  - ${all ? "all images without at least one container associated to them" : "all dangling images"}`,
    `  - ${all ? "all build cache" : "unused build cache"}`,
    "",
    ...(filters.length === 0
      ? []
      : ["  Items to be pruned will be filtered with:", ...filters.map((filter) => `  - ${filter}`), ""]),
    "Are you sure you want to continue?",
  ].join("\n");
}
