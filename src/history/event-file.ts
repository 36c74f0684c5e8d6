import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { sleep } from "../flow/index.ts";

/** How often a file that still grows is looked at. */
const followMs = 200;
const chunkBytes = 256 * 1024;

/** The events of a build, one a line, in its folder. */
export const eventFile = "events.jsonl";
const packedFile = "events.jsonl.zst";

/** Packs the events of a build that has ended; until that is done the plain file stands. */
export async function packEvents(folder: string): Promise<void> {
  const { constants, createZstdCompress } = await import("node:zlib");
  const aside = join(folder, `${packedFile}.new`);
  try {
    const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } });
    await pipeline(createReadStream(join(folder, eventFile)), compress, createWriteStream(aside, { mode: 0o600 }));
    await rename(aside, join(folder, packedFile));
    await rm(join(folder, eventFile), { force: true });
  } catch {
    // it stays as it is, readable: the disk is full, or another process removed the record
    await rm(aside, { force: true }).catch(() => undefined);
  }
}

export interface ReadLinesOptions {
  /** Whether the file may still grow; asked at its end. */
  readonly isGrowing: () => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The complete lines of a build's event file, without line ends. No file has no lines; a last line that is cut is none. */
export async function* readEventLines(folder: string, options: ReadLinesOptions): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  for await (const chunk of readChunks(folder, options)) {
    let at = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, at)) {
      rest.push(chunk.subarray(at, end));
      yield Buffer.concat(rest).toString("utf8");
      rest = [];
      at = end + 1;
    }
    if (at < chunk.length) rest.push(Buffer.from(chunk.subarray(at)));
  }
}

async function* readChunks(folder: string, options: ReadLinesOptions): AsyncGenerator<Buffer> {
  // twice, since between two looks the plain file may become the packed one
  for (let looks = 0; looks < 2;) {
    const growing = options.isGrowing();
    if (existsSync(join(folder, packedFile))) return yield* unpackChunks(join(folder, packedFile));
    const file = await openIfThere(join(folder, eventFile));
    if (file !== undefined) {
      try {
        return yield* readGrowing(file, options);
      } finally {
        await file.close();
      }
    }
    if (growing) await sleep(followMs, options);
    else looks += 1;
  }
}

async function* unpackChunks(path: string): AsyncGenerator<Buffer> {
  const { createZstdDecompress } = await import("node:zlib");
  const unpacked = createZstdDecompress();
  const moving = pipeline(createReadStream(path), unpacked);
  // it is awaited at the end; a failure before that comes out of the loop
  moving.catch(() => undefined);
  for await (const chunk of unpacked) yield chunk as Buffer;
  await moving;
}

async function* readGrowing(file: FileHandle, { isGrowing, signal }: ReadLinesOptions): AsyncGenerator<Buffer> {
  for (;;) {
    // asked before the read: what is written until the end is then read
    const growing = isGrowing();
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, null);
    if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
    else if (growing) await sleep(followMs, { signal });
    else return;
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
