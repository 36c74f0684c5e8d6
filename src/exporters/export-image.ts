import type { ImageStore } from "../images/index.ts";
import { serializeConfig, type Digest, type ImageConfig, type Manifest } from "../oci/index.ts";
import type { StackRef } from "../snapshots/index.ts";
import { finishConfig } from "./finish-config.ts";
import { identifyLayers, rewriteLayers, type LayerFacts, type Packing, type PackTools } from "./pack-layers.ts";

export interface ExportedImage {
  /** The image ID: digest of the config blob. */
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly layers: readonly LayerFacts[];
  readonly stack: StackRef;
}

export interface ExportImageOptions extends PackTools {
  readonly stack: StackRef;
  /** As the frontend made it: without `created` and with the base's layers. */
  readonly config: ImageConfig;
  readonly epochSeconds?: number;
  /** How blobs will be wanted: layers that are new are packed while they are read for their digests. Absent: none will be. */
  readonly packing?: Packing | undefined;
  /** No file of a layer above the base's is newer than `epochSeconds` (`rewrite-timestamp`). */
  readonly rewriteTimestamp?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** Gives a result its identity: hashes its layers, finishes and stores its config. Layer blobs are made only where they are rewritten. */
export async function exportImage(options: ExportImageOptions): Promise<ExportedImage> {
  const { stack, signal, content } = options;
  const layers = await layersOf(options);
  const config = finishConfig(options.config, layers, options.epochSeconds);
  const { digest } = await content.writeBytes(serializeConfig(config), { signal });
  return { id: digest, config, layers, stack };
}

async function layersOf(options: ExportImageOptions): Promise<LayerFacts[]> {
  const { stack, config, epochSeconds, rewriteTimestamp, signal } = options;
  const rewritten = rewriteTimestamp === true && epochSeconds !== undefined;
  const facts = await identifyLayers(stack, options, signal, rewritten ? undefined : options.packing);
  if (!rewritten) return facts;
  const base = config.rootfs.diff_ids;
  const own = facts.findIndex(({ diffId }, index) => diffId !== base[index]);
  const kept = own === -1 ? facts.length : own;
  const packing = options.packing ?? { compression: "gzip" as const };
  return await rewriteLayers(stack, facts, { kept, clampMtime: epochSeconds, packing }, options, signal);
}

/**
 * Puts an identified image into the image store, under canonical names. One whose layers are not the snapshots' own is kept as blobs:
 * `manifest` names them.
 */
export function storeImage(
  { id, layers, stack }: ExportedImage,
  names: readonly string[],
  images: ImageStore,
  { manifest }: { readonly manifest?: Manifest | undefined } = {},
): void {
  const isOwn = layers.every(({ clampMtime }) => clampMtime === undefined);
  const where = isOwn ? { layers: stack.layers } : manifest === undefined ? {} : { manifest };
  images.put({ id, ...where, sizeBytes: layers.reduce((sum, { diffSize }) => sum + diffSize, 0) });
  for (const name of names) images.setName(name, id);
}
