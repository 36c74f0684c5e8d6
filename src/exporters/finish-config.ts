import type { HistoryEntry, ImageConfig } from "../oci/index.ts";
import type { LayerFacts } from "./pack-layers.ts";

/**
 * The final image config: the layers that the image really has, as many history entries with a layer (E33), and times.
 * No clock: `created` is `epochSeconds`, or 1970 without one, so that the same input gives the same image; the image
 * store keeps the time of the build by itself. Entries of the base keep theirs.
 */
export function finishConfig(config: ImageConfig, layers: readonly LayerFacts[], epochSeconds: number | undefined): ImageConfig {
  const created = new Date((epochSeconds ?? 0) * 1000).toISOString().replace(".000Z", "Z");
  const history: HistoryEntry[] = (config.history ?? []).map((entry) =>
    entry.created === undefined ? { created, ...entry } : entry,
  );
  let withLayer = history.filter((entry) => !entry.empty_layer).length;
  for (; withLayer < layers.length; withLayer += 1) history.push({ created, comment: "varve.exporter.v0" });
  for (let index = history.length - 1; withLayer > layers.length && index >= 0; index -= 1) {
    const entry = history[index];
    if (!entry || entry.empty_layer) continue;
    history[index] = { ...entry, empty_layer: true };
    withLayer -= 1;
  }
  return { ...config, created, history, rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) } };
}
