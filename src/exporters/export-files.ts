import { createReadStream } from "node:fs";
import { mkdir, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { SnapshotStore, StackRef } from "../snapshots/index.ts";
import { asideOf, listAbandonedAsides } from "../state/index.ts";
import type { Worker } from "../worker/index.ts";
import { outputError, removeAside, type ByteSink } from "./output-file.ts";
import { folderTask, tarTask, type FilesRoot } from "./tasks.ts";

/** The files of one platform, and the folder in the output that is theirs. */
export interface FilesOfPlatform {
  readonly stack: StackRef;
  /** As `formatPlatform` writes it. */
  readonly platform: string;
  /** Whether they get a folder of their own, `linux_amd64`. */
  readonly split: boolean;
}

export interface FilesOptions {
  readonly files: readonly FilesOfPlatform[];
  readonly snapshots: SnapshotStore;
  readonly worker: Worker;
  /** The store folder: where a tar for a sink is written first. */
  readonly root: string;
  /** Seconds since 1970: the time that all files get. */
  readonly mtime?: number | undefined;
  /** What is in the folder and not in the result goes (`mode=delete`). */
  readonly removeOthers?: boolean;
  readonly signal: AbortSignal;
  /** Bytes written so far. */
  readonly onProgress?: (bytes: number) => void;
}

/** `type=tar`: one archive of all files of the result. */
export async function exportTar(dest: string | ByteSink, options: FilesOptions): Promise<void> {
  const place = typeof dest === "string" ? dest : join(options.root, "ingest", "files.tar");
  const aside = asideOf(place);
  try {
    await mkdir(dirname(aside), { recursive: true });
    for (const left of listAbandonedAsides(place)) await removeAside(left);
    await options.worker.call(tarTask, { ...paramsOf(options), dest: await realParent(aside) }, callOptions(options));
    if (typeof dest === "string") {
      await rename(aside, dest);
    } else {
      for await (const chunk of createReadStream(aside, { highWaterMark: 1 << 20 })) await dest(chunk as Uint8Array);
      await rm(aside);
    }
  } catch (error) {
    await removeAside(aside);
    throw typeof dest === "string" ? outputError(error, dest) : error;
  }
}

/**
 * `type=local`: the files of the result in a folder, merged with what is there unless that is to go (E05). They belong to the user
 * who builds. Two platforms with the same file and no folders of their own are OUTPUT_COLLISION.
 */
export async function exportFolder(dest: string, options: FilesOptions): Promise<void> {
  try {
    await mkdir(dest, { recursive: true });
  } catch (error) {
    throw outputError(error, dest);
  }
  const { removeOthers = false } = options;
  await options.worker.call(folderTask, { ...paramsOf(options), dest: await realpath(dest), removeOthers }, callOptions(options));
}

/** The same path without links on the way to it, as the worker wants those of the user's. */
async function realParent(path: string): Promise<string> {
  return join(await realpath(dirname(path)), basename(path));
}

function paramsOf({ files, snapshots, mtime }: FilesOptions): { roots: FilesRoot[]; mtime?: number } {
  const roots = files.map(({ stack, platform, split }) => ({
    lowers: snapshots.fsPaths(stack.layers),
    name: platform,
    ...(split ? { folder: platform.replaceAll("/", "_") } : {}),
  }));
  return { roots, ...(mtime === undefined ? {} : { mtime }) };
}

function callOptions({ signal, onProgress }: FilesOptions): {
  signal: AbortSignal;
  onEvent: (event: { readonly current: number }) => void;
} {
  return { signal, onEvent: ({ current }) => onProgress?.(current) };
}
