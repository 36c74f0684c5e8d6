import type { ContentStore } from "../content/index.ts";
import { VarveError } from "../errors/index.ts";
import type { ByteSource } from "../flow/index.ts";
import { decompress } from "../layers/index.ts";
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
  const tar = (await decompress(layer.open({ signal }), { signal })).content;
  const { digest, size } = await content.ingest(compression === "uncompressed" ? tar : await compress(tar, compression, level), {
    signal,
  });
  return { blob: { mediaType, digest, size }, diffId: layer.diffId, open: (options) => content.open(digest, options) };
}

async function compress(tar: ByteSource, compression: "gzip" | "zstd", level: number | undefined): Promise<ByteSource> {
  const [zlib, { pipeline }] = await Promise.all([import("node:zlib"), import("node:stream")]);
  if (compression === "zstd" && typeof zlib.createZstdCompress !== "function") {
    throw new VarveError("LAYER_COMPRESSION_UNSUPPORTED", "this Node cannot write zstd", {
      hint: "use Node 22.15 or later, or compression=gzip",
    });
  }
  const packer =
    compression === "gzip"
      ? zlib.createGzip(level === undefined ? {} : { level })
      : zlib.createZstdCompress({ params: { [zlib.constants.ZSTD_c_compressionLevel]: level ?? 3 } });
  // A failure of the source comes out where the packer is read.
  pipeline(tar, packer, () => undefined);
  return packer as AsyncIterable<Buffer>;
}
