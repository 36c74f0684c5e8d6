import { closeSync, constants, openSync, readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { VarveError } from "../errors/index.ts";
import { throwIfAborted } from "../flow/index.ts";

/** Takes a block of the archive and keeps it: it is not written to again. Waited for when it is a promise. */
export type BlockSink = (block: Uint8Array) => Promise<void> | void;

/** Gathers headers and files into blocks of one size, each handed on when it is full. */
export interface TarBlocks {
  /** Undefined when there was room; else a promise to wait for before the next call. */
  append(bytes: Uint8Array): Promise<void> | undefined;
  /** Appends exactly `size` bytes of a regular file; fewer in it is `LAYER_READ`. */
  appendFile(path: string | Buffer, size: number, name: string): Promise<void>;
  /** Hands on what is left; returns how many bytes there were in all. */
  finish(): Promise<number>;
}

export function createTarBlocks(
  sink: BlockSink,
  { blockBytes, signal }: { readonly blockBytes: number; readonly signal: AbortSignal | undefined },
): TarBlocks {
  let block = Buffer.allocUnsafeSlow(blockBytes);
  let used = 0;
  let total = 0;
  let flushes = 0;

  async function flush(): Promise<void> {
    throwIfAborted(signal);
    const full = block.subarray(0, used);
    block = Buffer.allocUnsafeSlow(blockBytes);
    total += used;
    used = 0;
    await sink(full);
    flushes += 1;
    // Reading is synchronous: without a pause no message, and so no abort, would ever get in.
    if (flushes % 16 === 0) await setImmediate();
  }

  async function appendLarge(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + blockBytes - used);
      block.set(piece, used);
      used += piece.length;
      at += piece.length;
      if (used === blockBytes) await flush();
    }
  }

  return {
    append(bytes) {
      if (used + bytes.length >= blockBytes) return appendLarge(bytes);
      block.set(bytes, used);
      used += bytes.length;
      return undefined;
    },
    async appendFile(path, size, name) {
      const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        for (let left = size; left > 0;) {
          const got = readSync(fd, block, used, Math.min(left, blockBytes - used), null);
          if (got === 0) throw new VarveError("LAYER_READ", `"${name}" became shorter while it was read`);
          left -= got;
          used += got;
          if (used === blockBytes) await flush();
        }
      } finally {
        closeSync(fd);
      }
    },
    async finish() {
      if (used > 0) await flush();
      return total;
    },
  };
}
