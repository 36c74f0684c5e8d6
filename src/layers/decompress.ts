import { VarveError, isVarveError } from "../errors/index.ts";
import { endOnAbort } from "../flow/index.ts";
import { cutFrames } from "./zstd-frames.ts";

export interface Decompressed {
  readonly compression: "gzip" | "zstd" | "bzip2" | "xz" | "uncompressed";
  /** The bytes within. Must be read or ended, else the source stays open. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * Undoes a blob's compression, told by its first bytes: gzip (also of several members), zstd (several frames), bzip2 and xz
 * (several streams); everything else passes as it is. Bytes that are damaged or stop too early: `LAYER_COMPRESSION_INVALID`,
 * while `content` is read. Rare forms of xz: `LAYER_COMPRESSION_UNSUPPORTED`, or `LAYER_COMPRESSION_LIMIT`.
 */
export async function decompress(
  source: AsyncIterable<Uint8Array>,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Decompressed> {
  const chunks = endOnAbort(signal)(source);
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < 6) {
    const next = await chunks.next();
    if (next.done === true) break;
    pieces.push(next.value);
    length += next.value.length;
  }
  const first = Buffer.concat(pieces);
  async function* whole(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      if (first.length > 0) yield first;
      yield* chunks;
    } finally {
      await chunks.return();
    }
  }
  const magic = first.toString("hex", 0, 6);
  if (magic.startsWith("1f8b08")) return { compression: "gzip", content: through("gzip", whole()) };
  if (magic.startsWith("28b52ffd") || /^5.2a4d18/.test(magic)) return { compression: "zstd", content: through("zstd", whole()) };
  if (magic.startsWith("425a68")) return { compression: "bzip2", content: decoded("bzip2", whole()) };
  if (magic === "fd377a585a00") return { compression: "xz", content: decoded("xz", whole()) };
  return { compression: "uncompressed", content: whole() };
}

async function* decoded(kind: "bzip2" | "xz", source: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* kind === "xz" ? (await import("./xz.ts")).decodeXz(source) : (await import("./bzip2.ts")).decodeBzip2(source);
  } catch (error) {
    const { DamagedData } = await import("./damaged-data.ts");
    throw error instanceof DamagedData ? damaged(kind, error) : error;
  } finally {
    await source.return(undefined);
  }
}

function damaged(kind: string, error: Error): VarveError {
  return new VarveError("LAYER_COMPRESSION_INVALID", `the ${kind} data is damaged: ${error.message}`, { cause: error });
}

async function* through(kind: "gzip" | "zstd", source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const [zlib, { Readable, pipeline }] = await Promise.all([import("node:zlib"), import("node:stream")]);
  if (kind === "zstd" && typeof zlib.createZstdDecompress !== "function") {
    throw new VarveError("LAYER_COMPRESSION_UNSUPPORTED", "this Node cannot read zstd", {
      hint: "use Node 22.15 or later",
    });
  }
  const chunkSize = 1 << 18;
  const inflater = kind === "gzip" ? zlib.createGunzip({ chunkSize }) : zlib.createZstdDecompress({ chunkSize });
  // Chunk by chunk as they are: a byte stream might join what was cut.
  pipeline(Readable.from(kind === "zstd" ? cutFrames(source) : source), inflater, () => undefined);
  try {
    for await (const chunk of inflater) yield chunk as Buffer;
  } catch (error) {
    if (
      isVarveError(error) ||
      !(error instanceof Error) ||
      !("code" in error) ||
      !/^(?:Z_|ZSTD_|ERR_ZLIB|ERR_ZSTD)/.test(String(error.code))
    )
      throw error;
    throw damaged(kind, error);
  }
}
