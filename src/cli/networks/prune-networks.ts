import type { Networks } from "../../networks/index.ts";
import type { ImageFilters } from "../store-filters.ts";
import { hasLabels } from "./named-values.ts";

/** Removes the networks that no container uses and that meet the conditions; their names. */
export async function pruneNetworks(
  networks: Networks,
  { labels, createdBeforeMs = Infinity }: Pick<ImageFilters, "labels" | "createdBeforeMs">,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const network of networks.list()) {
    const fits =
      network.createdMs < createdBeforeMs &&
      labels.every(({ key, value, not }) => hasLabels(network.labels, [value === undefined ? key : `${key}=${value}`]) !== not);
    if (network.predefined || !fits || networks.members(network.id).length > 0) continue;
    if (!dryRun) await networks.remove(network.id);
    removed.push(network.name);
  }
  return removed;
}

/** As Docker lists what went: a heading, the names, an empty line; nothing for nothing. */
export function listRemoved(what: string, names: readonly string[]): string {
  return names.length === 0 ? "" : `${what}:\n${names.map((name) => `${name}\n`).join("")}\n`;
}
