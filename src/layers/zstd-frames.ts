import { VarveError } from "../errors/index.ts";

/** A wish of the walk: so many bytes, to be shown when `show`; `end` says that a frame ends before them. */
interface Wish {
  readonly bytes: number;
  readonly show: boolean;
  readonly end?: boolean;
}

/**
 * Cuts zstd data where its frames end, so that no chunk has bytes of two. Node's decompressor takes the end of a frame for
 * the end of all data and drops the rest of the chunk; one that starts with the next frame goes on. Layers often have many
 * frames: those packed by several threads, and zstd:chunked. (RFC 8878, 3.1: frames, skippable frames, blocks.)
 */
export async function* cutFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const walk = walkFrames();
  let wish = walk.next(empty).value;
  let got = 0;
  let shown = empty;
  let inside = false;
  for await (const chunk of source) {
    let start = 0;
    for (let at = 0; at < chunk.length || (wish.bytes === 0 && !wish.end);) {
      const piece = chunk.subarray(at, at + wish.bytes - got);
      if (wish.show) shown = Buffer.concat([shown, piece]);
      inside = true;
      at += piece.length;
      got += piece.length;
      if (got < wish.bytes) break;
      wish = walk.next(shown).value;
      got = 0;
      shown = empty;
      if (wish.end !== true) continue;
      inside = false;
      yield chunk.subarray(start, at);
      start = at;
    }
    if (start < chunk.length) yield chunk.subarray(start);
  }
  if (inside) throw damaged("it ends in the middle of a frame");
}

const empty: Buffer = Buffer.alloc(0);

function damaged(how: string): VarveError {
  return new VarveError("LAYER_COMPRESSION_INVALID", `the zstd data is damaged: ${how}`);
}

function* walkFrames(): Generator<Wish, never, Buffer> {
  let magic = yield { bytes: 4, show: true };
  for (;;) {
    if (magic.readUInt32LE() === 0xfd2fb528) {
      const descriptor = (yield { bytes: 1, show: true }).readUInt8();
      const single = (descriptor & 0x20) !== 0;
      const window = single ? 0 : 1;
      const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
      const size = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
      yield { bytes: window + dictionary + size, show: false };
      for (let last = false; !last;) {
        const header = (yield { bytes: 3, show: true }).readUIntLE(0, 3);
        last = (header & 1) !== 0;
        const type = (header >> 1) & 3;
        if (type === 3) throw damaged("a block has a type that is not known");
        yield { bytes: type === 1 ? 1 : header >> 3, show: false };
      }
      yield { bytes: (descriptor & 4) === 0 ? 0 : 4, show: false };
    } else if ((magic.readUInt32LE() & 0xfffffff0) >>> 0 === 0x184d2a50) {
      yield { bytes: (yield { bytes: 4, show: true }).readUInt32LE(), show: false };
    } else {
      throw damaged("what follows a frame is none");
    }
    magic = yield { bytes: 4, show: true, end: true };
  }
}
