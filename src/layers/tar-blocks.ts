import { closeSync, constants, openSync, readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { VarveError } from "../errors/index.ts";
import { throwIfAborted } from "../flow/index.ts";

/**
 * Takes a block of the archive. It is not written to again before `release` is called, which need not be. Waited for when it is
 * a promise.
 */
export type BlockSink = (block: Uint8Array, release: () => void) => Promise<void> | void;

/** Gathers headers and files into blocks, each handed on when it is full, or where an entry ends it. */
export interface TarBlocks {
  /** Bytes that still go into the block without a wait. */
  readonly room: number;
  /**
   * To be called before an entry: a block may end here. Where it does hangs on names and sizes alone, so that an archive
   * with one file changed has the same blocks before it and, a little after it, again.
   */
  begin(path: string, size: number): Promise<void> | undefined;
  /** Undefined when there was room; else a promise to wait for before the next call. */
  append(bytes: Uint8Array): Promise<void> | undefined;
  /** Appends exactly `size` bytes of a regular file; fewer in it is `LAYER_READ`. */
  appendFile(path: string | Buffer, size: number, name: string): Promise<void>;
  /** Hands on what is left; returns how many bytes there were in all. */
  finish(): Promise<number>;
}

export function createTarBlocks(
  sink: BlockSink,
  {
    blockBytes,
    minBytes = Number.POSITIVE_INFINITY,
    signal,
  }: {
    readonly blockBytes: number;
    /** An entry ends no block that is smaller. Default: entries end none. */
    readonly minBytes?: number | undefined;
    readonly signal: AbortSignal | undefined;
  },
): TarBlocks {
  let block: Buffer = Buffer.allocUnsafeSlow(blockBytes);
  /** Without them a large layer would fill the memory with garbage before any is collected. */
  const free: Buffer[] = [];
  let used = 0;
  let total = 0;
  let flushes = 0;

  async function flush(): Promise<void> {
    throwIfAborted(signal);
    const whole = block;
    const full = whole.subarray(0, used);
    block = free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
    total += used;
    used = 0;
    await sink(full, () => void free.push(whole));
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
    get room() {
      return blockBytes - used - 1;
    },
    begin(path, size) {
      return used >= minBytes && (size >= blockBytes / 2 || isBorder(path)) ? flush() : undefined;
    },
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

/** One name in 32, by its FNV-1a hash. */
function isBorder(path: string): boolean {
  let hash = 0x811c9dc5;
  for (let at = 0; at < path.length; at++) hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193);
  return ((hash >>> 16) & 31) === 0;
}
