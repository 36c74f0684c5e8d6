import { VarveError } from "../errors/index.ts";
import type { ByteSource } from "../flow/index.ts";

/** Parts of one content that are read in turn; the source is opened again only to go back. */
export interface Slices {
  /** The bytes from `from` up to, not including, `to`. `onRead` hears how far the content was read. */
  read(from: number, to: number, onRead: (offset: number) => void): ByteSource;
  close(): Promise<void>;
}

const empty = new Uint8Array(0);

/** A content that ends before `size` bytes is `CONTENT_SIZE_MISMATCH`; one that goes on is read no further. */
export function createSlices(open: () => ByteSource, size: number): Slices {
  let source: AsyncIterator<Uint8Array> | undefined;
  let at = 0;
  let rest: Uint8Array = empty;

  const close = async (): Promise<void> => {
    const ending = source;
    [source, at, rest] = [undefined, 0, empty];
    await ending?.return?.();
  };

  /** At most `maxBytes` further bytes. */
  const next = async (maxBytes: number): Promise<Uint8Array> => {
    while (rest.length === 0) {
      const found = await source?.next();
      if (found === undefined || found.done === true)
        throw new VarveError("CONTENT_SIZE_MISMATCH", `the content ends after ${at} of ${size} bytes`);
      rest = found.value;
    }
    const taken = rest.subarray(0, maxBytes);
    rest = rest.subarray(taken.length);
    at += taken.length;
    return taken;
  };

  return {
    async *read(from, to, onRead) {
      if (source === undefined || at !== from) {
        await close();
        source = open()[Symbol.asyncIterator]();
        while (at < from) await next(from - at);
      }
      while (at < to) {
        const chunk = await next(to - at);
        onRead(at);
        yield chunk;
      }
      // The end is asked for: a source that verifies itself says there what is wrong with it.
      if (to === size && rest.length === 0) await source.next();
    },
    close,
  };
}
