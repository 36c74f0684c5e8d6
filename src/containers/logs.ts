import { watch, type FSWatcher } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { throwIfAborted } from "../flow/index.ts";
import { hasCode } from "../sys/index.ts";
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

/** What a container wrote, oldest first: from the last `tail` lines on, and with `follow` until it has ended. */
export async function* readLogs({ path, isOpen }: LogSource, options: LogsOptions = {}): AsyncGenerator<LogLine, void, void> {
  const { follow = false, tail, sinceMs, untilMs, stdout = true, stderr = true, signal } = options;
  const wanted = { 1: stdout, 2: stderr };
  const waiter = follow ? watchFile(path) : undefined;
  let file = await openLog(path);
  try {
    let position = file === undefined || tail === undefined ? 0 : await tailOffset(file, tail);
    const reader = logLineReader();
    for (;;) {
      throwIfAborted(signal);
      const mayGrow = follow && (await isOpen());
      file ??= await openLog(path);
      const seen = waiter?.seen();
      for await (const chunk of blocksFrom(file, position)) {
        position += chunk.length;
        for (const line of reader.push(chunk)) {
          if (untilMs !== undefined && line.timeMs > untilMs) return;
          if (wanted[line.stream] && (sinceMs === undefined || line.timeMs >= sinceMs)) yield line;
        }
      }
      if (file !== undefined && (await wasReplaced(file, path))) {
        await file.close();
        file = undefined;
        position = 0;
        continue;
      }
      if (!mayGrow) break;
      if (untilMs !== undefined && Date.now() > untilMs) break;
      await waiter?.changed(seen ?? 0, signal);
    }
    for (const line of reader.end()) if (wanted[line.stream] && (sinceMs === undefined || line.timeMs >= sinceMs)) yield line;
  } finally {
    waiter?.close();
    await file?.close();
  }
}

async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
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

/** conmon begins a new file when the old one is full, and renames it to the name of the old. */
async function wasReplaced(file: FileHandle, path: string): Promise<boolean> {
  const [own, there] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  return there !== undefined && (there.ino !== own.ino || there.dev !== own.dev);
}

/** Where the last `count` lines begin; records of unfinished lines belong to the line that follows. */
async function tailOffset(file: FileHandle, count: number): Promise<number> {
  const { size } = await file.stat();
  if (count <= 0) return size;
  let lines = 0;
  /** The bytes from `start` on that were looked at, up to the first line end in them. */
  let head: Buffer = Buffer.alloc(0);
  let isLast = true;
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
      if (lines > count) return start + end;
      end = at + 1;
      if (at < 0) break;
    }
    head = bytes.subarray(0, end);
  }
  return 0;
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
