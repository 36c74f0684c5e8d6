import type { ContentStore } from "../content/index.ts";
import { recompress } from "../layers/index.ts";
import { compressionOfLayer, mediaTypes } from "../oci/index.ts";
import type { CacheLayer, Compressing } from "./types.ts";

const targets = {
  gzip: { is: "gzip", mediaType: mediaTypes.ociLayerGzip },
  zstd: { is: "zstd", mediaType: mediaTypes.ociLayerZstd },
  uncompressed: { is: "none", mediaType: mediaTypes.ociLayer },
} as const;

/** The layer in the wanted compression: itself where it has it, else a new blob in the store with the same tar (`force-compression`). */
export async function recompressLayer(
  layer: CacheLayer,
  { compression = "gzip", compressionLevel: level }: Compressing,
  { content, signal }: { readonly content: ContentStore; readonly signal: AbortSignal },
): Promise<CacheLayer> {
  const { is, mediaType } = targets[compression];
  if (compressionOfLayer(layer.blob.mediaType) === is) return layer;
  const { digest, size } = await content.ingest(await recompress(layer.open({ signal }), { compression, level, signal }), {
    signal,
  });
  return { blob: { mediaType, digest, size }, diffId: layer.diffId, open: (options) => content.open(digest, options) };
}
