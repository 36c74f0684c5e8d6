import { hash } from "node:crypto";
import { availableParallelism } from "node:os";
import { VarveError } from "../errors/index.ts";

/** Compresses blocks on the thread pool, several at a time, and hands them on in order. */
export interface BlockCompressor {
  /** Resolves when there is room for another block; calls `release` when the block is not needed any more. */
  push(block: Uint8Array, release: () => void): Promise<void>;
  /** Resolves when the last block was handed on. */
  finish(): Promise<void>;
  /** Resolves when nothing runs any more; results are dropped. */
  stop(): Promise<void>;
}

export interface CompressorOptions {
  readonly compression: "gzip" | "zstd";
  /** gzip 0 to 9, default 6; zstd 0 to 22, default 3. */
  readonly level?: number | undefined;
  /** Blocks that were compressed before, by the SHA-256 in hex of what is in them. */
  readonly known: { find(key: string): Promise<Buffer | undefined> };
  /** `key`: the SHA-256 in hex of what is in the block. */
  readonly onBlock: (block: Uint8Array, key: string) => void;
}

/** One more than cores, so that none waits; no more than libuv's pool has threads. */
const lanes = Math.min(4, availableParallelism() + 1);

/** Of the buffers that compressed bytes come in: most blocks need one or two. */
const outputBytes = 512 * 1024;

/**
 * Each block becomes a gzip member or a zstd frame of its own, which every reader takes as one stream. The same blocks give
 * the same bytes, as long as Node's zlib is the same: no time, no name, the operating system "unknown" as Go writes it.
 */
export async function createBlockCompressor({ compression, level, known, onBlock }: CompressorOptions): Promise<BlockCompressor> {
  const [zlib, { promisify }] = await Promise.all([import("node:zlib"), import("node:util")]);
  let compress: (block: Uint8Array) => Promise<Buffer>;
  if (compression === "gzip") {
    const gzip = promisify<Uint8Array, object, Buffer>(zlib.gzip);
    compress = async (block) => {
      const member = await gzip(block, { level: level ?? 6, chunkSize: outputBytes });
      member.writeUInt8(255, 9); // RFC 1952, 2.3.1: OS
      return member;
    };
  } else {
    if (typeof zlib.zstdCompress !== "function") {
      throw new VarveError("LAYER_COMPRESSION_UNSUPPORTED", "this Node cannot write zstd", {
        hint: "use Node 22.15 or later, or compression=gzip",
      });
    }
    const zstd = promisify<Uint8Array, object, Buffer>(zlib.zstdCompress);
    const params = { [zlib.constants.ZSTD_c_compressionLevel]: level ?? 3 };
    compress = (block) => zstd(block, { params, chunkSize: outputBytes, pledgedSrcSize: block.length });
  }
  interface Work {
    readonly key: string;
    readonly block: Promise<Buffer>;
  }
  const running: Work[] = [];
  const handOn = async (): Promise<void> => {
    const oldest = running.shift();
    if (oldest !== undefined) onBlock(await oldest.block, oldest.key);
  };
  const take = async (block: Uint8Array, key: string): Promise<Buffer> => (await known.find(key)) ?? (await compress(block));
  return {
    async push(block, release) {
      const key = hash("sha256", block, "hex");
      const work = take(block, key).finally(release);
      work.catch(() => undefined); // seen when it is handed on, or dropped by `stop`
      running.push({ key, block: work });
      if (running.length > lanes) await handOn();
    },
    async finish() {
      while (running.length > 0) await handOn();
    },
    async stop() {
      await Promise.allSettled(running.splice(0).map(({ block }) => block));
    },
  };
}
