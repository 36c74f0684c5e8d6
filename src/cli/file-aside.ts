import { open, realpath, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { VarveError } from "../errors/index.ts";
import { asideOf, listAbandonedAsides } from "../state/index.ts";

/** A file that appears whole or not at all. */
export interface FileAside {
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** Puts the file in its place. */
  commit(): Promise<void>;
  /** Ends it; without a commit nothing remains. Call it always. */
  close(): Promise<void>;
}

/**
 * Opens a file beside `path` that takes its place when it is complete. Links are followed. What is no regular file (a pipe,
 * a device) is written in place. Fails with FILE_UNWRITABLE or DISK_FULL.
 */
export async function createFileAside(path: string): Promise<FileAside> {
  const there = await statOrNothing(path);
  if (there?.isDirectory() === true) throw new VarveError("FILE_UNWRITABLE", `${path} is a folder`);
  const inPlace = there !== undefined && !there.isFile();
  const target = there === undefined || inPlace ? path : await realpath(path);
  const aside = inPlace ? target : asideOf(target);
  if (!inPlace) for (const left of listAbandonedAsides(target)) await rm(left, { force: true });
  let file: FileHandle | undefined = await attempt(path, () => open(aside, inPlace ? "w" : "wx"));
  let committed = false;
  const handle = file;
  return {
    write: async (chunk) => {
      await attempt(path, () => handle.writeFile(chunk));
    },
    async commit() {
      await attempt(path, async () => {
        if (!inPlace) await handle.sync();
        await handle.close();
        file = undefined;
        if (!inPlace) await rename(aside, target);
        committed = true;
      });
    },
    async close() {
      await file?.close();
      file = undefined;
      if (!committed && !inPlace) await rm(aside, { force: true });
    },
  };
}

/** Writes a whole file at once, aside and renamed. */
export async function writeFileAside(path: string, content: string | Uint8Array): Promise<void> {
  const file = await createFileAside(path);
  try {
    await file.write(typeof content === "string" ? new TextEncoder().encode(content) : content);
    await file.commit();
  } finally {
    await file.close();
  }
}

async function statOrNothing(path: string): Promise<Awaited<ReturnType<typeof stat>> | undefined> {
  try {
    return await stat(path);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new VarveError("FILE_UNWRITABLE", `cannot write ${path}`, { cause });
  }
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const full = cause instanceof Error && "code" in cause && (cause.code === "ENOSPC" || cause.code === "EDQUOT");
    throw new VarveError(
      full ? "DISK_FULL" : "FILE_UNWRITABLE",
      full ? `no space is left to write ${path}` : `cannot write ${path}`,
      { cause },
    );
  }
}
