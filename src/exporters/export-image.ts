import type { ImageStore } from "../images/index.ts";
import { serializeConfig, type Digest, type ImageConfig } from "../oci/index.ts";
import type { StackRef } from "../snapshots/index.ts";
import { finishConfig } from "./finish-config.ts";
import { identifyLayers, type LayerFacts, type Packing, type PackTools } from "./pack-layers.ts";

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
  readonly signal: AbortSignal;
}

/** Gives a result its identity: hashes its layers, finishes and stores its config. No layer blob is made. */
export async function exportImage(options: ExportImageOptions): Promise<ExportedImage> {
  const { stack, signal, content } = options;
  const layers = await identifyLayers(stack, options, signal, options.packing);
  const config = finishConfig(options.config, layers, options.epochSeconds);
  const { digest } = await content.writeBytes(serializeConfig(config), { signal });
  return { id: digest, config, layers, stack };
}

/** Puts an identified image into the image store, under canonical names. */
export function storeImage({ id, layers, stack }: ExportedImage, names: readonly string[], images: ImageStore): void {
  images.put({ id, layers: stack.layers, sizeBytes: layers.reduce((sum, { diffSize }) => sum + diffSize, 0) });
  for (const name of names) images.setName(name, id);
}
