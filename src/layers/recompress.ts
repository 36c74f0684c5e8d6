import { VarveError } from "../errors/index.ts";
import type { ByteSource } from "../flow/index.ts";
import { gzipSettings, zstdLevel } from "./compress-blocks.ts";
import { decompress } from "./decompress.ts";

export interface RecompressOptions {
  readonly compression: "gzip" | "zstd" | "uncompressed";
  /** gzip 0 to 9, default 5; zstd 0 to 22, default 3. */
  readonly level?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A layer's blob with the same tar in it, compressed otherwise. */
export async function recompress(blob: ByteSource, { compression, level, signal }: RecompressOptions): Promise<ByteSource> {
  const tar = (await decompress(blob, { signal })).content;
  if (compression === "uncompressed") return tar;
  const [zlib, { pipeline }] = await Promise.all([import("node:zlib"), import("node:stream")]);
  if (compression === "zstd" && typeof zlib.createZstdCompress !== "function") {
    throw new VarveError("LAYER_COMPRESSION_UNSUPPORTED", "this Node cannot write zstd", {
      hint: "use Node 22.15 or later, or compression=gzip",
    });
  }
  const packer =
    compression === "gzip"
      ? zlib.createGzip(gzipSettings(level))
      : zlib.createZstdCompress({ params: { [zlib.constants.ZSTD_c_compressionLevel]: level ?? zstdLevel } });
  // A failure of the source comes out where the packer is read.
  pipeline(tar, packer, () => undefined);
  return packer as AsyncIterable<Buffer>;
}
