import { findImageUsers, snapshotUsers } from "../containers/index.ts";
import type { GcSettings, Quota, StoreRecord, StoreRooms, Victim } from "../gc/index.ts";
import type { ImageRecord } from "../images/index.ts";
import { familiarReference, parseReference } from "../oci/index.ts";
import { removeTask } from "../ops/index.ts";
import type { Parts } from "./parts.ts";
import type { ImagePrune, PrunedImages, PruneReport, PruneRequest, StoreCare, StoreUsage, UsageRecord } from "./store-types.ts";
import { sweepStore } from "./sweep-store.ts";

const never = new AbortController().signal;

/** The commands about what a store holds. */
export function createStoreCare(needParts: () => Parts): StoreCare {
  return {
    async usage({ filters = [], signal = never } = {}) {
      const parts = needParts();
      const { surveyStore } = await import("../gc/index.ts");
      const { records, disk } = await surveyStore(storeRooms(parts), { signal });
      const matches = await readFilters(filters);
      return { records: records.filter(matches).map(asUsage), images: await measureImages(parts, records), disk };
    },
    prune: async (request = {}) => await prune(needParts(), request),
    pruneImages: async (request = {}) => pruneImages(needParts(), request),
  };
}

/** What store care is given of the parts. */
export function storeRooms(parts: Parts): StoreRooms {
  const { httpSource, worker } = parts;
  return {
    ...parts,
    usedSnapshots: () => snapshotUsers(parts),
    httpBodies: () => httpSource.bodies(),
    removeFolders: (paths, { signal }) => worker.call(removeTask, { paths }, { signal }),
  };
}

/** The settings of `[worker.oci]` in varve.toml. */
export async function readStoreSettings({ storeSettings }: Pick<Parts, "storeSettings">): Promise<GcSettings> {
  const { noGcSettings, readGcSettings } = await import("../gc/index.ts");
  return storeSettings === undefined ? noGcSettings : readGcSettings(storeSettings.table, storeSettings.where);
}

/** Holds a build within the limits of varve.toml; undefined where it sets none. */
export async function openQuota(parts: Parts): Promise<Quota | undefined> {
  if (parts.storeSettings === undefined) return undefined;
  const { createQuota, quotaOf, readDisk } = await import("../gc/index.ts");
  const limits = quotaOf(await readStoreSettings(parts), readDisk(parts.root));
  return limits && createQuota(storeRooms(parts), limits);
}

async function readFilters(texts: readonly string[]): Promise<(record: StoreRecord) => boolean> {
  const { parseCondition } = await import("../gc/index.ts");
  const conditions = texts.map(parseCondition);
  return (record) => conditions.every((condition) => condition(record));
}

async function prune(parts: Parts, request: PruneRequest): Promise<PruneReport> {
  const { filters = [], keepMs = 0, all = false, why = "builder prune", dryRun = false, signal = never } = request;
  const { reservedBytes, maxUsedBytes, minFreeBytes } = request;
  const { pruneStore } = await import("../gc/index.ts");
  const matches = await readFilters(filters);
  const rule = {
    all,
    matches,
    keepMs,
    wholeStore: false,
    why,
    ...(reservedBytes === undefined ? {} : { reservedBytes }),
    ...(maxUsedBytes === undefined ? {} : { maxUsedBytes }),
    ...(minFreeBytes === undefined ? {} : { minFreeBytes }),
  };
  if (!dryRun) await sweepStore(parts);
  const { victims, freedBytes } = await pruneStore(storeRooms(parts), { rules: () => [rule], dryRun, signal });
  return { removed: victims.map(asRemoved), freedBytes };
}

function asRemoved({ record, reason, frees }: Victim): PruneReport["removed"][number] {
  return { ...asUsage(record), reason, freedBytes: frees ? record.bytes : 0 };
}

function asUsage({ thing: _thing, cached: _cached, sharedWith, holder, ...record }: StoreRecord): UsageRecord {
  const inUseBy = holder ?? sharedWith;
  return { ...record, shared: sharedWith !== undefined, ...(inUseBy === undefined ? {} : { inUseBy }) };
}

/** What images take on the disk: with others, and by themselves. */
async function measureImages(parts: Parts, records: readonly StoreRecord[]): Promise<StoreUsage["images"]> {
  const thingsOf = await readImageNeeds(parts);
  const bytesOf = new Map(records.map(({ thing, bytes }) => [thing, bytes]));
  const listed = parts.images.list().map((image) => ({ image, things: thingsOf(image) }));
  const users = new Map<string, number>();
  for (const { things } of listed) for (const thing of things) users.set(thing, (users.get(thing) ?? 0) + 1);
  const sum = (things: readonly string[]) => things.reduce((total, thing) => total + (bytesOf.get(thing) ?? 0), 0);
  return {
    bytes: sum([...users.keys()]),
    images: listed.map(({ image, things }) => {
      const all = [...things];
      return {
        id: image.id,
        names: image.names.map((name) => familiarReference(parseReference(name))),
        createdMs: image.createdMs,
        sharedBytes: sum(all.filter((thing) => (users.get(thing) ?? 0) > 1)),
        uniqueBytes: sum(all.filter((thing) => users.get(thing) === 1)),
      };
    }),
  };
}

async function readImageNeeds(parts: Parts): Promise<(image: ImageRecord) => ReadonlySet<string>> {
  const { createImageNeeds, readFoundations } = await import("../gc/index.ts");
  return createImageNeeds(parts.snapshots.list(), readFoundations(parts));
}

/** Forgets images; what they alone needed is cache from then on, and goes with the next prune of it. */
async function pruneImages(parts: Parts, request: ImagePrune): Promise<PrunedImages> {
  const { all = false, createdBeforeMs = Infinity, labels = [], dryRun = false, signal = never } = request;
  const { images, state } = parts;
  const wanted = labels.length === 0 ? undefined : await readLabels(parts);
  const chosen = images.list().filter(({ names, createdMs, id }) => {
    const own = wanted?.get(id) ?? {};
    const fits = labels.every(
      ({ key, value, not = false }) => (Object.hasOwn(own, key) && (value === undefined || own[key] === value)) !== not,
    );
    return (all || names.length === 0) && createdMs < createdBeforeMs && fits && findImageUsers(parts, id).length === 0;
  });
  const removed = chosen.map(({ id, names }) => ({ id, names: names.map((name) => familiarReference(parseReference(name))) }));
  if (dryRun || chosen.length === 0) return { removed, freedBytes: 0 };
  const thingsOf = await readImageNeeds(parts);
  const needed = new Set(chosen.flatMap((image) => [...thingsOf(image)]));
  state.transaction(() => {
    for (const { id, names } of chosen) {
      // somebody may have tagged it since
      if (!all && (images.get(id)?.names.length ?? 0) > names.length) continue;
      images.forget(id);
    }
  });
  const { pruneStore } = await import("../gc/index.ts");
  const matches = ({ thing, cached }: StoreRecord) => needed.has(thing) && !cached;
  const rule = { all: true, matches, keepMs: 0, wholeStore: false, why: "image prune" };
  const { freedBytes } = await pruneStore(storeRooms(parts), { rules: () => [rule], signal });
  return { removed, freedBytes };
}

async function readLabels(parts: Parts): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const { createImages } = await import("./images.ts");
  return new Map((await createImages(() => parts).list()).map(({ id, labels }) => [id, labels]));
}
