import { mkdir, open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { VarveError } from "../errors/index.ts";
import { asideOf, listAbandonedAsides } from "../state/index.ts";

/** Takes bytes in order, and keeps them: nobody writes to a chunk any more. Resolves when more may come. */
export type ByteSink = (chunk: Uint8Array) => Promise<void>;

/**
 * Writes an output: straight into a sink, or into a file beside `dest` that takes its place when it is whole. A failure
 * leaves `dest` as it was.
 */
export async function withOutputFile(dest: string | ByteSink, write: (sink: ByteSink) => Promise<void>): Promise<void> {
  if (typeof dest !== "string") return write(dest);
  const aside = asideOf(dest);
  try {
    await mkdir(dirname(dest), { recursive: true });
    for (const left of listAbandonedAsides(dest)) await removeAside(left);
    const file = await open(aside, "wx", 0o666);
    try {
      const writer = writeBehind(file);
      try {
        await write(writer.push);
      } finally {
        await writer.finish();
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, dest);
  } catch (error) {
    await removeAside(aside);
    throw outputError(error, dest);
  }
}

/** What waits for the disk while more is made: bytes, and pieces of them. */
const maxWaitingBytes = 2 * 1024 * 1024;
const maxWaitingWrites = 16;

/** Writes to a file in order, beside the making of what comes next. A failure is told by the next call, and by the last one. */
function writeBehind(file: FileHandle): { readonly push: ByteSink; readonly finish: () => Promise<void> } {
  const failures: unknown[] = [];
  const writes: Promise<void>[] = [];
  let last = Promise.resolve();
  let waitingBytes = 0;
  const writeNext = async (before: Promise<void>, chunk: Uint8Array): Promise<void> => {
    await before;
    try {
      if (failures.length === 0) await file.writeFile(chunk);
    } catch (error) {
      failures.push(error);
    }
    waitingBytes -= chunk.length;
  };
  return {
    async push(chunk) {
      waitingBytes += chunk.length;
      last = writeNext(last, chunk);
      writes.push(last);
      while (waitingBytes > maxWaitingBytes || writes.length > maxWaitingWrites) await writes.shift();
      if (failures.length > 0) throw failures[0];
    },
    async finish() {
      await last;
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** Removes what was written aside, as far as it came; where its folder could not be there is nothing to remove. */
export async function removeAside(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTDIR") throw error;
  }
}

/** Names the output in errors of the file system; other errors stay as they are. */
export function outputError(error: unknown, dest: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new VarveError(full ? "DISK_FULL" : "OUTPUT_FAILED", `cannot write the output ${dest}: ${code}`, { cause: error });
}
