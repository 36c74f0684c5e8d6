import { createHash } from "node:crypto";
import { VarveError } from "../errors/index.ts";
import { throwIfAborted, unlessAborted } from "./signals.ts";

export type ByteSource = AsyncIterable<Uint8Array>;

/** A step that bytes pass on their way. Ending it early ends its source. */
export type Stage = (source: ByteSource) => AsyncGenerator<Uint8Array, void, undefined>;

/** Passes up to `maxBytes`; the first byte beyond is `CONTENT_TOO_LARGE`. `what` names the content in the message. */
export function limitBytes(maxBytes: number, options: { what?: string } = {}): Stage {
  return async function* limit(source) {
    let total = 0;
    for await (const chunk of source) {
      total += chunk.length;
      if (total > maxBytes) {
        throw new VarveError("CONTENT_TOO_LARGE", `${options.what ?? "the content"} is larger than ${maxBytes} bytes`, {
          details: { maxBytes },
        });
      }
      yield chunk;
    }
  };
}

/** Tells how many bytes passed: with this chunk, and in all. */
export function countBytes(onBytes: (bytes: number, totalBytes: number) => void): Stage {
  return async function* count(source) {
    let total = 0;
    for await (const chunk of source) {
      total += chunk.length;
      onBytes(chunk.length, total);
      yield chunk;
    }
  };
}

/**
 * Passes bytes on and, at the end, throws `CONTENT_DIGEST_MISMATCH` unless they hash to `expected` (`algorithm:hex`), then
 * `CONTENT_SIZE_MISMATCH` unless there were `size` of them. Passes no byte beyond `size`, and asks for no chunk after the one
 * that holds it. Whoever reads must keep nothing before the end.
 */
export function verifyDigest(expected: string, size?: number): Stage {
  const [algorithm = "", hex = ""] = expected.split(":");
  return async function* verify(source) {
    const hash = createHash(algorithm);
    let total = 0;
    for await (const chunk of source) {
      const room = size === undefined ? chunk.length : Math.min(chunk.length, size - total);
      const passed = room === chunk.length ? chunk : chunk.subarray(0, room);
      hash.update(passed);
      total += chunk.length;
      if (passed.length > 0) yield passed;
      if (size !== undefined && total > size) break;
    }
    const found = hash.digest("hex");
    if (found !== hex) {
      const longer =
        size !== undefined && total > size
          ? ` (it goes on after ${size} bytes)`
          : size !== undefined && total < size
            ? ` (it ends after ${total} of ${size} bytes)`
            : "";
      throw new VarveError("CONTENT_DIGEST_MISMATCH", `the content should be ${expected} but is ${algorithm}:${found}${longer}`, {
        details: { expected, found: `${algorithm}:${found}`, size: total },
      });
    }
    if (size !== undefined && total !== size) {
      const ends = total > size ? "goes on after" : `ends after ${total} of`;
      throw new VarveError("CONTENT_SIZE_MISMATCH", `the content ${expected} ${ends} ${size} bytes`, {
        details: { expected, size: total },
      });
    }
  };
}

/** Passes bytes until the signal aborts, then throws its reason even if the source hangs; the source is told to end. */
export function endOnAbort(signal: AbortSignal | undefined): Stage {
  return async function* end(source) {
    const iterator = source[Symbol.asyncIterator]();
    let done = false;
    try {
      for (;;) {
        throwIfAborted(signal);
        const next = await unlessAborted(iterator.next(), { signal });
        if (next.done === true) {
          done = true;
          return;
        }
        yield next.value;
      }
    } finally {
      // A source that hangs would hang here too: after an abort nobody waits for it, and what it still says is dropped.
      const ended = done ? undefined : iterator.return?.();
      if (signal?.aborted === true) ended?.then(undefined, () => undefined);
      else await ended;
    }
  };
}

/** All bytes in one piece, at most `maxBytes` (else `CONTENT_TOO_LARGE`). */
export async function collectBytes(source: ByteSource, options: { maxBytes: number; what?: string }): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of limitBytes(options.maxBytes, options)(source)) chunks.push(chunk);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
