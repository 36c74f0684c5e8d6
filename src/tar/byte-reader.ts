/** Pieces of wanted length out of a stream of chunks, copying only what spans two of them. */
export interface ByteReader {
  /** Bytes handed out so far. */
  position(): number;
  /** The next `length` bytes if they lie in the present chunk, at once. */
  takeNow(length: number): Buffer | undefined;
  /** The next `length` bytes, fewer only at the end of the source. */
  take(length: number): Promise<Buffer>;
  /** At least one of the next bytes, at most `max`; undefined at the end. */
  takeSome(max: number): Promise<Buffer | undefined>;
  /** Passes over `length` bytes; returns how many there were. */
  skip(length: number): Promise<number>;
  /** Tells the source that no more is wanted. */
  end(): Promise<void>;
}

const empty = Buffer.alloc(0);

export function createByteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let chunk: Buffer = empty;
  let at = 0;
  let handedOut = 0;
  let ended = false;

  function slice(length: number): Buffer {
    const piece = chunk.subarray(at, at + length);
    at += piece.length;
    handedOut += piece.length;
    return piece;
  }

  /** Makes the present chunk one with unread bytes; false at the end. */
  async function refill(): Promise<boolean> {
    while (at === chunk.length) {
      if (ended) return false;
      const next = await iterator.next();
      if (next.done === true) {
        ended = true;
        return false;
      }
      const { value } = next;
      chunk = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      at = 0;
    }
    return true;
  }

  return {
    position: () => handedOut,
    takeNow: (length) => (chunk.length - at >= length ? slice(length) : undefined),
    async take(length) {
      const pieces: Buffer[] = [];
      let missing = length;
      while (missing > 0 && (await refill())) {
        const piece = slice(missing);
        pieces.push(piece);
        missing -= piece.length;
      }
      return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
    },
    takeSome: async (max) => ((await refill()) ? slice(max) : undefined),
    async skip(length) {
      let missing = length;
      while (missing > 0 && (await refill())) missing -= slice(missing).length;
      return length - missing;
    },
    async end() {
      if (!ended) await iterator.return?.();
      ended = true;
    },
  };
}
