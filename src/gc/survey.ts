import { hash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, statfsSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { isVarveError } from "../errors/index.ts";
import { snapshotThing, type ListedSnapshot } from "../snapshots/index.ts";
import { describeSnapshots } from "./describe-snapshots.ts";
import { readFoundations, readNeeds } from "./needs.ts";
import { extentsTable, type StoreRooms } from "./rooms.ts";
import { measureTask, type Extent } from "./tasks.ts";
import type { DiskFacts, StoreRecord } from "./types.ts";

/** All that is in a store: its records together are what `du` counts in its folder. */
export interface Survey {
  readonly records: readonly StoreRecord[];
  readonly disk: DiskFacts;
}

/** Looks at everything in the store. Snapshots are measured once in their life. */
export async function surveyStore(rooms: StoreRooms, { signal }: { readonly signal: AbortSignal }): Promise<Survey> {
  attemptWrite(() => rooms.leases.sweep());
  const snapshots = rooms.snapshots.list();
  const [cacheMounts, blobs] = [await rooms.cacheMounts.list({ signal }), await listBlobs(rooms)];
  const git = listRepositories(rooms.root);
  const { extents, rest } = await measure(rooms, { snapshots, git, blobs, signal });
  const needs = readNeeds(rooms, snapshots);
  const foundations = readFoundations(rooms);
  const uses = rooms.leases.uses();
  const complete = (
    record: Pick<StoreRecord, "thing" | "type" | "description" | "createdMs"> & Partial<StoreRecord>,
  ): StoreRecord => {
    const use = uses.get(record.thing);
    return {
      id: recordId(record.thing),
      parents: [],
      lastUsedMs: use?.lastUsedMs,
      usageCount: use?.count ?? 0,
      mutable: false,
      bytes: 0,
      inodes: 0,
      cached: false,
      sharedWith: needs.images.get(record.thing),
      holder: needs.running.get(record.thing),
      ...record,
    };
  };
  const described = describeSnapshots(snapshots, rooms.cache.list());
  const ofSnapshots = snapshots.map((snapshot) => {
    const thing = snapshotThing(snapshot.id);
    return complete({
      thing,
      createdMs: snapshot.createdMs,
      parents: foundations(snapshot).map(recordId),
      mutable: snapshot.owner !== undefined,
      ...(described.get(snapshot.id) ?? { type: "regular", description: "left over", cached: false }),
      ...pickExtent(extents.get(thing)),
    });
  });
  const bodies = new Set(rooms.httpBodies());
  const layers = new Set(rooms.blobs.list().map(({ digest }) => digest));
  const ofBlobs = blobs.map(({ digest, ...facts }) =>
    complete({
      thing: `blob/${digest}`,
      type: bodies.has(digest) || layers.has(digest as never) ? "regular" : "internal",
      description: bodies.has(digest)
        ? "file behind a URL"
        : layers.has(digest as never)
          ? "packed layer"
          : "config or manifest of an image",
      ...facts,
    }),
  );
  const ofMounts = cacheMounts.map(({ ref, id, sizeBytes, files, lastUsedMs, inUse }) =>
    complete({
      thing: `cachemount/${ref}`,
      type: "exec.cachemount",
      description: `cache mount ${id}`,
      createdMs: lastUsedMs,
      lastUsedMs,
      mutable: true,
      bytes: sizeBytes,
      inodes: files,
      holder: inUse ? "a running step" : undefined,
    }),
  );
  const ofGit = git.map(({ name, createdMs }) => {
    const thing = `git/${name}`;
    const description = "objects of a Git repository";
    return complete({
      thing,
      type: "source.git.checkout",
      description,
      createdMs,
      mutable: true,
      ...pickExtent(extents.get(thing)),
    });
  });
  const own = complete({
    thing: "store/rest",
    type: "internal",
    description: "the store itself: database, history, what is being written",
    createdMs: existsSync(rooms.root) ? lstatSync(rooms.root).birthtimeMs : 0,
    mutable: true,
    holder: "the store",
    ...pickExtent(rest),
  });
  return { records: [...ofSnapshots, ...ofBlobs, ...ofMounts, ...ofGit, own], disk: readDisk(rooms.root) };
}

/** The file system under the store, as an ordinary user may use it. */
export function readDisk(root: string): DiskFacts {
  const { bsize, blocks, bavail, files, ffree } = statfsSync(root);
  return { totalBytes: blocks * bsize, freeBytes: bavail * bsize, totalInodes: files, freeInodes: ffree };
}

/** A record's id for people: always the same for a thing, and none is the beginning of another. */
export function recordId(thing: string): string {
  const digits = BigInt(`0x${hash("sha256", thing)}`)
    .toString(36)
    .padStart(50, "0");
  return digits.slice(-25);
}

function pickExtent(extent: Extent | undefined): { readonly bytes: number; readonly inodes: number } {
  return { bytes: extent?.bytes ?? 0, inodes: extent?.inodes ?? 0 };
}

interface FoundBlob {
  readonly digest: string;
  readonly bytes: number;
  readonly inodes: number;
  readonly createdMs: number;
}

async function listBlobs({ content }: StoreRooms): Promise<FoundBlob[]> {
  const found = await Promise.all(
    (await content.list()).map(async (digest) => {
      const stats = await lstat(content.pathOf(digest)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      });
      return stats && { digest, bytes: stats.blocks * 512, inodes: 1, createdMs: Math.round(stats.mtimeMs) };
    }),
  );
  return found.filter((blob) => blob !== undefined);
}

/** The bare repositories under `git/`, by the names of their folders. */
export function listRepositories(root: string): readonly { readonly name: string; readonly createdMs: number }[] {
  const folder = join(root, "git");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{64}\.git$/.test(name))
    .map((name) => ({ name, createdMs: Math.round(lstatSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0) }));
}

interface Measuring {
  readonly snapshots: readonly ListedSnapshot[];
  readonly git: readonly { readonly name: string }[];
  readonly blobs: readonly FoundBlob[];
  readonly signal: AbortSignal;
}

async function measure(
  rooms: StoreRooms,
  { snapshots, git, blobs, signal }: Measuring,
): Promise<{ readonly extents: ReadonlyMap<string, Extent>; readonly rest: Extent }> {
  const { root, state } = rooms;
  const known = new Map(listKnown(state).map(({ thing, ...extent }) => [thing, { ...extent, linked: false }]));
  const folders = snapshots.map(({ id, owner, isAway }) => ({
    thing: snapshotThing(id),
    path: rooms.snapshots.pathOf(id),
    done: owner === undefined && !isAway,
  }));
  const repositories = git.map(({ name }) => ({ thing: `git/${name}`, path: join(root, "git", name), done: false }));
  const elsewhere = [
    ...folders.map(({ path }) => path),
    ...repositories.map(({ path }) => path),
    ...blobs.map(({ digest }) => rooms.content.pathOf(digest as never)),
    ...listMountFolders(join(root, "cache-mounts")),
  ];
  const look = async (items: typeof folders): Promise<readonly Extent[]> =>
    rooms.worker.call(measureTask, { items: [...items, { path: root, without: elsewhere }] }, { signal });
  let measured = [...folders.filter(({ thing, done }) => !done || !known.has(thing)), ...repositories];
  let extents = await look(measured);
  if (extents.slice(0, -1).some(({ linked }) => linked)) {
    // a file with names in several snapshots counts in the oldest: all must be seen in one look
    measured = [...folders, ...repositories];
    extents = await look(measured);
  }
  const found = new Map<string, Extent>(known);
  const lasting: (readonly [string, number, number])[] = [];
  measured.forEach(({ thing, done }, index) => {
    const extent = extents[index];
    if (!extent) return;
    found.set(thing, extent);
    if (done && !extent.linked) lasting.push([thing, extent.bytes, extent.inodes]);
  });
  remember(state, lasting);
  return { extents: found, rest: extents.at(-1) ?? { bytes: 0, inodes: 0, linked: false } };
}

interface KnownExtent {
  readonly thing: string;
  readonly bytes: number;
  readonly inodes: number;
}

/** A disk that was full at the first look has no table of them yet. */
function listKnown(state: StoreRooms["state"]): readonly KnownExtent[] {
  const table = state.get("SELECT 1 FROM sqlite_schema WHERE name = 'extents'");
  return table === undefined ? [] : state.all<KnownExtent>("SELECT thing, bytes, inodes FROM extents");
}

function remember(state: StoreRooms["state"], extents: readonly (readonly [string, number, number])[]): void {
  if (extents.length === 0) return;
  attemptWrite(() => {
    state.transaction(() => {
      state.run(extentsTable);
      for (const extent of extents)
        state.run("INSERT OR REPLACE INTO extents (thing, bytes, inodes) VALUES (?, ?, ?)", ...extent);
    });
  });
}

/** On a full disk nothing is remembered, and all is measured again the next time: who looks need not write. */
function attemptWrite(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isVarveError(error) || error.code !== "DISK_FULL") throw error;
  }
}

/** The cache mounts' own room counts these. */
function listMountFolders(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{64}(?:-\d+)?$/.test(name))
    .map((name) => join(folder, name));
}
