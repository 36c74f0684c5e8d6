import { lstatSync, readdirSync, watch, type FSWatcher, type Stats } from "node:fs";
import { basename, join } from "node:path";
import { VarveError } from "../errors/index.ts";

export interface FolderWatchOptions {
  readonly onChange: (path: string) => void;
  readonly onFailure: (error: unknown) => void;
  /** A folder that need not be looked at, with all that is below it. */
  readonly mayEnter: (path: string) => boolean;
}

/**
 * Watches folders, each on its own: Node's recursive mode on Linux misses what is made in a new folder before it has looked there. A
 * folder is watched before it is read, so that what comes in between is seen by one of the two.
 */
export interface FolderWatch {
  /** Watches a folder and all below it. `announce`: what lies in it is new. Nothing there, or no folder: nothing happens. */
  enter(path: string, options: { readonly announce: boolean }): void;
  /** Ends that. `announce`: what lay in it is gone. */
  leave(path: string, options: { readonly announce: boolean }): void;
  close(): void;
}

interface Folder {
  readonly watcher: FSWatcher;
  readonly names: Set<string>;
}

export function watchFolders({ onChange, onFailure, mayEnter }: FolderWatchOptions): FolderWatch {
  const folders = new Map<string, Folder>();

  const enter: FolderWatch["enter"] = (path, { announce }) => {
    if (folders.has(path)) return;
    const names = new Set<string>();
    const watcher = openWatcher(path, (type, name) => handle(path, type, name));
    if (watcher === undefined) return;
    watcher.on("error", () => leave(path, { announce: true }));
    folders.set(path, { watcher, names });
    try {
      for (const entry of readdirSync(path, { withFileTypes: true })) {
        const child = join(path, entry.name);
        names.add(entry.name);
        if (announce) onChange(child);
        if (entry.isDirectory() && mayEnter(child)) enter(child, { announce });
      }
    } catch (error) {
      if (!isGone(error)) throw error;
      leave(path, { announce });
    }
  };

  const leave: FolderWatch["leave"] = (path, { announce }) => {
    const folder = folders.get(path);
    if (folder === undefined) return;
    folders.delete(path);
    folder.watcher.close();
    for (const name of folder.names) {
      const child = join(path, name);
      leave(child, { announce });
      if (announce) onChange(child);
    }
  };

  const handle = (path: string, type: string, name: string | null): void => {
    const folder = folders.get(path);
    if (folder === undefined) return;
    try {
      // without a name anything may have happened
      if (name === null) {
        leave(path, { announce: true });
        return enter(path, { announce: true });
      }
      const child = join(path, name);
      const stats = look(child);
      if (stats === undefined) {
        // what was never seen is the folder itself, of which the kernel tells under its own name, or is no more
        if (!folder.names.delete(name)) return;
        leave(child, { announce: true });
        return onChange(child);
      }
      folder.names.add(name);
      // under its name there may be another folder by now
      if (type === "rename") leave(child, { announce: true });
      onChange(child);
      if (stats.isDirectory() && mayEnter(child)) enter(child, { announce: true });
    } catch (error) {
      onFailure(error);
    }
  };

  return {
    enter,
    leave,
    close() {
      for (const { watcher } of folders.values()) watcher.close();
      folders.clear();
    },
  };
}

/** Undefined where nothing is, or nothing that may be looked at. Fails with WATCH_LIMIT. */
export function openWatcher(path: string, listener: (type: string, name: string | null) => void): FSWatcher | undefined {
  try {
    return watch(path, listener);
  } catch (error) {
    if (isGone(error)) return undefined;
    const { code = "" } = error as NodeJS.ErrnoException;
    const setting = { ENOSPC: "max_user_watches", EMFILE: "max_user_instances" }[code];
    if (setting === undefined) throw error;
    throw new VarveError("WATCH_LIMIT", `${basename(path)} cannot be watched: the limit of file watches is reached`, {
      hint: `raise it with 'sysctl fs.inotify.${setting}', or name folders that matter less in 'ignore'`,
      cause: error,
      details: { path },
    });
  }
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Nothing is there any more, or this user may not look. */
export function isGone(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "");
}
