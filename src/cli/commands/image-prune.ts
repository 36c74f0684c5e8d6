import type { PrunedImages } from "../../engine/index.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { formatSize } from "../format/sizes.ts";
import { readImageFilters } from "../store-filters.ts";

export const imagePrune = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    all: { kind: "bool", short: "a", help: "Remove all images, not only those without a name" },
    "dry-run": { kind: "bool", help: "Only list what would go" },
    filter: { kind: "list", help: "Remove only what meets a condition: until, label" },
    force: { kind: "bool", short: "f", help: "Do not ask" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    const { dangling, ...filters } = readImageFilters(flags.filter, io.now());
    const all = flags.all === true || dangling === false;
    const what = all ? "all images without at least one container associated to them" : "all dangling images";
    const dryRun = flags["dry-run"] === true;
    const asked = `WARNING! This will remove ${what}.\nAre you sure you want to continue?`;
    if (!dryRun && flags.force !== true && !(await confirm(asked, io))) return;
    const store = await openStore();
    const pruned = await store.store.pruneImages({ ...filters, all, dryRun, signal: io.signal });
    io.stdout.print(listPruned(pruned));
    io.stdout.print(`Total reclaimed space: ${formatSize(pruned.freedBytes, 4)}\n`);
  },
});

/** As Docker lists images that went. */
export function listPruned({ removed }: PrunedImages): string {
  if (removed.length === 0) return "";
  const lines = removed.flatMap(({ id, names }) => [...names.map((name) => `untagged: ${name}\n`), `deleted: ${id}\n`]);
  return `Deleted Images:\n${lines.join("")}\n`;
}
