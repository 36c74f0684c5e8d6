/** Bytes of a source, gathered so that a decoder can look at many of them at once. */
export interface ByteWindow {
  /** Waits until `wanted` bytes are there or the source has ended. Gives all that are there, good until the next call. */
  fill(wanted: number): Promise<Uint8Array>;
  /** Passes over bytes that `fill` gave. */
  drop(count: number): void;
  /** `count` bytes, passed over; fewer at the end of the source. */
  take(count: number): Promise<Uint8Array>;
}

export function createByteWindow(chunks: AsyncIterator<Uint8Array>): ByteWindow {
  let bytes: Uint8Array = new Uint8Array(0);
  let ended = false;
  async function fill(wanted: number): Promise<Uint8Array> {
    if (bytes.length >= wanted || ended) return bytes;
    const pieces = [bytes];
    let length = bytes.length;
    while (length < wanted) {
      const next = await chunks.next();
      if (next.done === true) {
        ended = true;
        break;
      }
      pieces.push(next.value);
      length += next.value.length;
    }
    bytes = Buffer.concat(pieces);
    return bytes;
  }
  return {
    fill,
    drop: (count) => void (bytes = bytes.subarray(count)),
    async take(count) {
      const all = await fill(count);
      const taken = all.subarray(0, count);
      bytes = all.subarray(taken.length);
      return taken;
    },
  };
}
