import { readdirSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hasCode } from "../sys/index.ts";

/** A file of a container's log, open. */
export interface LogFile {
  readonly file: FileHandle;
  readonly inode: bigint;
}

/** The older files of a log are `LOG.1`, the one before the present one, `LOG.2` … Their numbers, in no order. */
export function listOlder(path: string): readonly number[] {
  const prefix = `${basename(path)}.`;
  let names: readonly string[];
  try {
    names = readdirSync(dirname(path));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
  return names
    .filter((name) => name.startsWith(prefix) && /^[1-9]\d*$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)));
}

export function olderPath(path: string, number: number): string {
  return join(dirname(path), `${basename(path)}.${number}`);
}

/**
 * Opens the files of a log, oldest first. While a new one is begun, files only get higher numbers: so they are opened from the newest
 * on, and what comes along twice is taken once.
 */
export async function openLogFiles(path: string): Promise<readonly LogFile[]> {
  const found = new Map<bigint, FileHandle>();
  const add = async (name: string): Promise<boolean> => {
    const file = await openLog(name);
    if (file === undefined) return false;
    const { ino } = await file.stat({ bigint: true });
    if (found.has(ino)) await file.close();
    else found.set(ino, file);
    return true;
  };
  for (let complete = false; !complete;) {
    await add(path);
    const older = listOlder(path).toSorted((a, b) => a - b);
    complete = true;
    // one that was there a moment ago has another number now
    for (const number of older) complete = (await add(olderPath(path, number))) && complete;
    if (complete) break;
    for (const file of found.values()) await file.close();
    found.clear();
  }
  return [...found].map(([inode, file]) => ({ file, inode })).toReversed();
}

async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
