import { existsSync, lstatSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import type { ContentStore } from "../content/index.ts";
import { VarveError } from "../errors/index.ts";
import type { Descriptor } from "../oci/index.ts";
import type { Worker } from "../worker/index.ts";
import { asidePath, lanesOf, listAside, listFolders, readAbout, shownId, type Sharing } from "./cache-folders.ts";
import { choosing, tryLock } from "./locks.ts";
import { describeMount, readMount } from "./mount-layer.ts";
import { measureTask, packTask, sweepTask, unpackTask, type Placing } from "./tasks.ts";

/** A cache mount as it stands in the store. */
export interface CacheMountInfo {
  /** Tells it from others of the same id, which began with something else: 12 hexadecimal digits. */
  readonly ref: string;
  /** As the Dockerfile names it (by default its target), with BUILDKIT_CACHE_MOUNT_NS and a slash before it; empty where it is not known. */
  readonly id: string;
  /** How the last step that used it shares it. */
  readonly sharing?: Sharing;
  /** What it takes on the disk, in all its folders. */
  readonly sizeBytes: number;
  readonly files: number;
  /** Milliseconds since 1970. */
  readonly lastUsedMs: number;
  /** A step has it just now. */
  readonly inUse: boolean;
  /** How many there are side by side; `private` and `shared` steps make more than one. */
  readonly folders: number;
  /** It began with files of an image or a stage. */
  readonly seeded: boolean;
}

export interface PackedMount {
  readonly mount: CacheMountInfo;
  /** Of its layer: a blob of the content store. */
  readonly descriptor: Descriptor;
}

interface Options {
  readonly signal?: AbortSignal;
}

/** The cache mounts of a store. */
export interface CacheMounts {
  /** The folder of them all. */
  readonly root: string;
  /** By id. Starts the worker where there are any, since only it can measure them. */
  list(options?: Options): Promise<readonly CacheMountInfo[]>;
  /**
   * Deletes those with these refs, but none that a step has. Returns the refs of those that are gone from now on; files
   * go before it resolves.
   */
  remove(refs: readonly string[], options?: Options): Promise<readonly string[]>;
  /**
   * Makes blobs of the mounts with these ids or refs (default all), one for each folder of a mount, the first one first. Each waits until no step uses it, and steps wait for it. Unknown names are
   * CACHE_MOUNT_NOT_FOUND. The blobs belong to nobody: whoever asked deletes them, or refers to them.
   */
  pack(
    names: readonly string[] | undefined,
    context: {
      readonly content: ContentStore;
      readonly signal: AbortSignal;
      readonly onWait?: (id: string) => void;
      readonly onPacked?: (mount: PackedMount) => void;
    },
  ): Promise<readonly PackedMount[]>;
  /** Makes a mount of a layer whose blob is in the content store; see {@link Placing}. Fails with CACHE_MOUNT_INVALID, LAYER_*, TAR_*. */
  unpack(
    layer: Descriptor,
    context: { readonly content: ContentStore; readonly signal: AbortSignal; readonly replace?: boolean },
  ): Promise<Placing>;
}

/** Nothing is read or made before something is asked. */
export function openCacheMounts({ root, worker }: { readonly root: string; readonly worker: Worker }): CacheMounts {
  const never = new AbortController().signal;
  const inStore = () => existsSync(root);

  const list: CacheMounts["list"] = async ({ signal = never } = {}) => {
    if (!inStore()) return [];
    const found = await choosing(root, signal, () => listFolders(root).map(look));
    const lanes = found.flatMap((one) => one.lanes);
    if (lanes.length === 0) return [];
    const sizes = await worker.call(measureTask, { folders: lanes }, { signal });
    let at = 0;
    return found
      .map(({ lanes: own, ...mount }) => {
        const measured = sizes.slice(at, (at += own.length));
        return {
          ...mount,
          folders: own.length,
          sizeBytes: measured.reduce((sum, { bytes }) => sum + bytes, 0),
          files: measured.reduce((sum, { files }) => sum + files, 0),
        };
      })
      .toSorted((a, b) => (a.id === b.id ? (a.ref < b.ref ? -1 : 1) : a.id < b.id ? -1 : 1));
  };

  return {
    root,
    list,
    async remove(refs, { signal = never } = {}) {
      if (!inStore()) return [];
      const wanted = new Set(refs);
      const gone = await choosing(root, signal, () =>
        listFolders(root)
          .filter((folder) => wanted.has(refOf(folder)) && moveAside(root, folder))
          .map(refOf),
      );
      if (listAside(root).length > 0) await worker.call(sweepTask, { root }, { signal });
      return gone;
    },
    async pack(names, { content, signal, onWait, onPacked }) {
      const chosen = selectMounts(await list({ signal }), names);
      const packed: PackedMount[] = [];
      for (const mount of chosen) {
        const folder = listFolders(root).find((path) => refOf(path) === mount.ref);
        if (folder === undefined) continue;
        for (const lane of lanesOf(folder).keys()) {
          const path = content.ingestPath();
          const found = await worker.call(packTask, { folder, lane, path }, { signal, onEvent: () => onWait?.(mount.id) });
          if (found === undefined) continue;
          await content.commitFile(path, found.digest);
          const made = { mount, descriptor: describeMount(found.facts, found) };
          onPacked?.(made);
          packed.push(made);
        }
      }
      return packed;
    },
    async unpack(layer, { content, signal, replace = false }) {
      const facts = readMount(layer);
      const params = { root, facts, blob: content.pathOf(layer.digest), digest: layer.digest, replace };
      return await worker.call(unpackTask, params, { signal });
    },
  };
}

/** The mounts with these ids or refs, all by default. Fails with CACHE_MOUNT_NOT_FOUND. */
export function selectMounts(all: readonly CacheMountInfo[], names: readonly string[] | undefined): readonly CacheMountInfo[] {
  const missing = names?.find((name) => !all.some(({ id, ref }) => id === name || ref === name));
  if (missing !== undefined)
    throw new VarveError("CACHE_MOUNT_NOT_FOUND", `there is no cache mount ${missing}`, {
      hint: all.length === 0 ? "the store has none" : "varve cache mounts ls lists them",
    });
  return all.filter(({ id, ref }) => names === undefined || names.includes(id) || names.includes(ref));
}

function refOf(folder: string): string {
  return basename(folder).slice(0, 12);
}

function look(folder: string) {
  const { id = "", sharing, seed } = readAbout(folder) ?? {};
  const lanes = lanesOf(folder);
  const used = lanes.map((lane) => lstatSync(join(lane, "lock"), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return {
    ref: refOf(folder),
    id: shownId(id),
    ...(sharing === undefined ? {} : { sharing }),
    lastUsedMs: Math.round(Math.max(0, ...used)),
    inUse: lanes.some((lane) => !isFree(lane)),
    seeded: seed !== undefined,
    lanes,
  };
}

function isFree(lane: string): boolean {
  using held = tryLock(lane, "lock", "exclusive");
  return held !== undefined;
}

/** Within the lock of them all, so that no step takes it meanwhile. */
function moveAside(root: string, folder: string): boolean {
  const lanes = lanesOf(folder);
  if (!lanes.every(isFree)) return false;
  // the first one last: what is left of a crash in between is still a cache
  for (const lane of lanes.toReversed()) renameSync(lane, asidePath(root));
  return true;
}
