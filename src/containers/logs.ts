import { watch, type FSWatcher } from "node:fs";
import { stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { throwIfAborted } from "../flow/index.ts";
import { hasCode } from "../sys/index.ts";
import { openLogFiles, type LogFile } from "./log-files.ts";
import { logLineReader } from "./log-lines.ts";
import type { LogLine, LogsOptions } from "./types.ts";

const blockBytes = 65_536;
/** Files of some file systems change without a word to those who watch. */
const pollMs = 250;

export interface LogSource {
  readonly path: string;
  /** Whether more may be written. Asked before the last look at the file. */
  readonly isOpen: () => boolean | Promise<boolean>;
}

/**
 * What a container wrote, oldest first, through all files of its log: from the last `tail` lines on, and with `follow` until it has
 * ended. Files that are begun meanwhile follow each other without a gap.
 */
export async function* readLogs({ path, isOpen }: LogSource, options: LogsOptions = {}): AsyncGenerator<LogLine, void, void> {
  const { follow = false, tail, sinceMs, untilMs, stdout = true, stderr = true, signal } = options;
  const wanted = { 1: stdout, 2: stderr };
  const isWanted = (line: LogLine): boolean => wanted[line.stream] && (sinceMs === undefined || line.timeMs >= sinceMs);
  const waiter = follow ? watchFile(path) : undefined;
  const files = [...(await openLogFiles(path))];
  const reader = logLineReader();
  let lastInode: bigint | undefined;
  try {
    let position = 0;
    if (tail !== undefined) {
      const start = await findTail(files, tail);
      for (const { file, inode } of files.splice(0, start.index)) {
        lastInode = inode;
        await file.close();
      }
      ({ position } = start);
    }
    for (;;) {
      throwIfAborted(signal);
      const mayGrow = follow && (await isOpen());
      if (files.length === 0) files.push(...(await openSuccessors(path, lastInode)));
      const [current, next] = files;
      // asked first: what is read then is all of it
      const isDone = current !== undefined && (next !== undefined || (await wasReplaced(current, path)));
      const seen = waiter?.seen();
      for await (const chunk of blocksFrom(current?.file, position)) {
        position += chunk.length;
        for (const line of reader.push(chunk)) {
          if (untilMs !== undefined && line.timeMs > untilMs) return;
          if (isWanted(line)) yield line;
        }
      }
      if (current !== undefined && isDone && (follow || next !== undefined)) {
        files.shift();
        lastInode = current.inode;
        await current.file.close();
        position = 0;
        continue;
      }
      if (!mayGrow) break;
      if (untilMs !== undefined && Date.now() > untilMs) break;
      await waiter?.changed(seen ?? 0, signal);
    }
    for (const line of reader.end()) if (isWanted(line)) yield line;
  } finally {
    waiter?.close();
    for (const { file } of files) await file.close();
  }
}

/** The files that came after one; all where it is gone, or was none. */
async function openSuccessors(path: string, inode: bigint | undefined): Promise<readonly LogFile[]> {
  const all = await openLogFiles(path);
  const place = all.findIndex((each) => each.inode === inode);
  for (const { file } of all.slice(0, place + 1)) await file.close();
  return all.slice(place + 1);
}

async function* blocksFrom(file: FileHandle | undefined, from: number): AsyncGenerator<Buffer, void, void> {
  if (file === undefined) return;
  for (let position = from; ;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(blockBytes), 0, blockBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Another file has its name: nobody writes to this one any more. */
async function wasReplaced({ inode }: LogFile, path: string): Promise<boolean> {
  const there = await stat(path, { bigint: true }).catch(() => undefined);
  return there !== undefined && there.ino !== inode;
}

/** The file, and the place in it, where the last `count` lines begin. */
async function findTail(
  files: readonly LogFile[],
  count: number,
): Promise<{ readonly index: number; readonly position: number }> {
  let left = count;
  for (let index = files.length - 1; index >= 0; index -= 1) {
    const { file } = files[index] as LogFile;
    const { position, lines } = await tailOffset(file, left, { isNewest: index === files.length - 1 });
    if (index === 0 || lines > left || left <= 0) return { index, position };
    left -= lines;
    if (left === 0) return { index, position };
  }
  return { index: 0, position: 0 };
}

/**
 * Where the last `count` lines begin, and how many there are: more than asked for means that there are others before. Records of
 * unfinished lines belong to the line that follows.
 */
async function tailOffset(
  file: FileHandle,
  count: number,
  { isNewest }: { readonly isNewest: boolean },
): Promise<{ readonly position: number; readonly lines: number }> {
  const { size } = await file.stat();
  if (count <= 0) return { position: size, lines: 0 };
  let lines = 0;
  /** The bytes from `start` on that were looked at, up to the first line end in them. */
  let head: Buffer = Buffer.alloc(0);
  let isLast = isNewest; // what goes on in a later file is counted there
  for (let start = size; start > 0;) {
    const length = Math.min(blockBytes, start);
    start -= length;
    const { buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, start);
    const bytes = Buffer.concat([buffer, head]);
    let end = bytes.length;
    for (let at = bytes.lastIndexOf("\n", end - 2); end > 0; at = end >= 2 ? bytes.lastIndexOf("\n", end - 2) : -1) {
      if (at < 0 && start > 0) break;
      const record = bytes.subarray(at + 1, end);
      const isWhole = /^\S+ std(?:out|err) F/.test(record.toString("latin1", 0, 64));
      if (isWhole || isLast) lines += 1;
      isLast = false;
      if (lines > count) return { position: start + end, lines };
      end = at + 1;
      if (at < 0) break;
    }
    head = bytes.subarray(0, end);
  }
  return { position: 0, lines };
}

/** Says when something in the file's folder has changed: also a file that takes its name. */
function watchFile(path: string) {
  let changes = 0;
  let wake: (() => void) | undefined;
  const notice = (): void => {
    changes += 1;
    wake?.();
  };
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(dirname(path), notice);
    watcher.on("error", () => watcher?.close()); // looking again and again is enough
  } catch (error) {
    if (!hasCode(error, "ENOENT", "ENOSPC", "EMFILE")) throw error;
  }
  return {
    seen: () => changes,
    /** Resolves when there was a change since `seen`, and after a while in any case. */
    async changed(seen: number, signal: AbortSignal | undefined): Promise<void> {
      if (changes !== seen) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        signal?.addEventListener("abort", wake, { once: true });
        if (signal?.aborted === true) wake();
      });
      if (wake !== undefined) signal?.removeEventListener("abort", wake);
      wake = undefined;
    },
    close: () => watcher?.close(),
  };
}
