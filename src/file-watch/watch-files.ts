import { statSync, type FSWatcher, type Stats } from "node:fs";
import { basename, dirname } from "node:path";
import { isGone, openWatcher, watchFolders, type FolderWatch } from "./watch-folders.ts";

/** So long nothing must change until what changed is told of: editors and checkouts write many files at once. (Docker Compose's own) */
const quietPeriodMs = 500;

export interface FileWatchOptions {
  /** Whether a changed path is to be told of. Default: all. */
  readonly keep?: (path: string) => boolean;
  /** Whether a folder is to be looked into. Default: all. */
  readonly mayEnter?: (path: string) => boolean;
  /** Default {@link quietPeriodMs}. */
  readonly quietMs?: number;
}

export interface FileWatch {
  /**
   * Paths that changed, came or went, each once, when nothing has changed for a while; what changes while nobody asks is in the next
   * batch. A folder that came or went is named with all that is in it. Rejects with the signal's reason, and with WATCH_LIMIT.
   */
  next(options?: { readonly signal?: AbortSignal }): Promise<readonly string[]>;
  close(): void;
}

/** Watches files and folders from now on. Absolute paths; what is not there yet is seen when it comes. Fails with WATCH_LIMIT. */
export function watchFiles(
  paths: readonly string[],
  { keep = () => true, mayEnter = () => true, quietMs = quietPeriodMs }: FileWatchOptions = {},
): FileWatch {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let isQuiet = false;
  let failure: { readonly error: unknown } | undefined;
  let wake = (): void => undefined;
  const settle = (): void => {
    isQuiet = true;
    wake();
  };
  const onChange = (path: string): void => {
    if (!keep(path)) return;
    changed.add(path);
    isQuiet = false;
    clearTimeout(timer);
    timer = setTimeout(settle, quietMs);
  };
  const onFailure = (error: unknown): void => {
    failure ??= { error };
    wake();
  };
  const folders = watchFolders({ onChange, onFailure, mayEnter });
  const roots: { close(): void }[] = [];
  const close = (): void => {
    clearTimeout(timer);
    for (const root of roots) root.close();
    folders.close();
  };
  try {
    for (const path of new Set(paths)) roots.push(watchRoot(path, { folders, onChange, onFailure }));
  } catch (error) {
    close();
    throw error;
  }
  return {
    close,
    next: ({ signal } = {}) =>
      new Promise((resolve, reject) => {
        const onAbort = (): void => {
          wake = () => undefined;
          reject(signal?.reason as Error);
        };
        wake = () => {
          if (failure === undefined && !isQuiet) return;
          wake = () => undefined;
          signal?.removeEventListener("abort", onAbort);
          if (failure !== undefined) return reject(failure.error as Error);
          isQuiet = false;
          resolve([...changed].toSorted());
          changed.clear();
        };
        if (signal?.aborted === true) return onAbort();
        signal?.addEventListener("abort", onAbort, { once: true });
        wake();
      }),
  };
}

/** One path, and the nearest folder above it that is there: the path may come, go, and be replaced. */
function watchRoot(
  root: string,
  {
    folders,
    onChange,
    onFailure,
  }: { readonly folders: FolderWatch; readonly onChange: (path: string) => void; readonly onFailure: (error: unknown) => void },
): { close(): void } {
  let above: FSWatcher | undefined;
  let wasThere = false;
  const settle = (announce: boolean): void => {
    above?.close();
    above = undefined;
    let name = root;
    while (above === undefined && dirname(name) !== name) {
      const nextName = basename(name);
      const folder = dirname(name);
      const stats = look(folder);
      const isSame = (): boolean => look(folder)?.ino === stats?.ino;
      if (stats?.isDirectory() === true)
        above = openWatcher(folder, (type, changedName) => {
          // of the folder's own end the kernel tells under its own name, which may be that of something in it
          const isEnd = changedName === basename(folder) && type === "rename" && !isSame();
          if (isEnd || changedName === null || changedName === nextName) onAbove(isEnd ? "rename" : type);
        });
      name = folder;
    }
    const stats = look(root);
    if (announce) folders.leave(root, { announce: true });
    if (announce && (stats !== undefined || wasThere)) onChange(root);
    wasThere = stats !== undefined;
    if (stats?.isDirectory() === true) folders.enter(root, { announce });
  };
  const onAbove = (type: string): void => {
    try {
      if (type === "rename") settle(true);
      else if (look(root)?.isFile() === true) onChange(root);
    } catch (error) {
      onFailure(error);
    }
  };
  settle(false);
  return { close: () => above?.close() };
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
