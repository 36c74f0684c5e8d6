import type { ContentStore } from "../content/index.ts";
import { VarveError } from "../errors/index.ts";
import { limiter } from "../flow/index.ts";
import { packTask, recompress, type LayerBlobs } from "../layers/index.ts";
import { chainIds, compressionOfLayer, mediaTypes, type Descriptor, type Digest } from "../oci/index.ts";
import type { Snapshot, SnapshotStore, StackRef } from "../snapshots/index.ts";
import type { Worker } from "../worker/index.ts";

/** How the tar of a layer is compressed in its blob. */
export type Compression = "gzip" | "zstd" | "uncompressed";

export interface PackTools {
  readonly content: ContentStore;
  readonly blobs: LayerBlobs;
  readonly snapshots: SnapshotStore;
  readonly worker: Worker;
  readonly imageSource: LayerFetcher;
}

/** Gets blobs of layers that were left in a registry. */
export interface LayerFetcher {
  fetchLayer(digest: Digest, options: { readonly signal: AbortSignal }): Promise<void>;
}

export interface LayerFacts {
  readonly diffId: Digest;
  /** Bytes of the tar. */
  readonly diffSize: number;
  /** Seconds since 1970 that no file's time in the tar goes beyond; absent where the times are the snapshot's. */
  readonly clampMtime?: number;
}

/** Layers that are packed at the same time; each uses several cores by itself. */
const packLanes = 2;

/** How blobs are to be made. */
export interface Packing {
  readonly compression: Compression;
  /** Of the compression; default 5 of gzip, 3 of zstd. */
  readonly level?: number | undefined;
  /** Whether layers that came from elsewhere in another compression are compressed again too (`force-compression`). */
  readonly force?: boolean | undefined;
}

/**
 * The digests of a stack's layers, computed where they are not known yet. Their chain IDs become known with them. With
 * `packing`, what must be read for its digest is packed on the way.
 */
export async function identifyLayers(
  { layers }: StackRef,
  tools: PackTools,
  signal: AbortSignal,
  packing?: Packing,
): Promise<LayerFacts[]> {
  const { snapshots, worker } = tools;
  const lanes = limiter(packLanes);
  const facts = await Promise.all(
    layers.map(async (id) => {
      const snapshot = needSnapshot(id, snapshots);
      if (snapshot.diffId !== undefined && snapshot.diffSize !== undefined)
        return { diffId: snapshot.diffId as Digest, diffSize: snapshot.diffSize };
      const { diffId, diffSize } = await lanes.run(() =>
        packing === undefined
          ? worker.call(packTask, { ...placeOf(snapshot, snapshots), compression: "none" }, { signal })
          : packSnapshot(snapshot, packing, tools, { signal }),
      );
      return { diffId, diffSize };
    }),
  );
  for (const [index, chainId] of chainIds(facts.map(({ diffId }) => diffId)).entries()) {
    const fact = facts[index];
    const id = layers[index];
    if (fact && id !== undefined) snapshots.setLayer(id, { ...fact, chainId });
  }
  return facts;
}

/**
 * Blobs of a stack's layers in the given compression. What came from elsewhere (a base image's layers) stays as it came unless
 * forced; what this store packed in another compression is packed again, so that an archive does not tell what was exported
 * before it.
 */
export async function blobLayers(
  { layers }: StackRef,
  facts: readonly LayerFacts[],
  compression: Compression,
  tools: PackTools,
  {
    signal,
    level,
    force,
    leaveAway = false,
    onProgress,
  }: Omit<Packing, "compression"> & {
    readonly signal: AbortSignal;
    /** Blobs that a registry keeps are named, not fetched. */
    readonly leaveAway?: boolean | undefined;
    readonly onProgress?: (diffId: Digest, bytes: number, total: number) => void;
  },
): Promise<Descriptor[]> {
  const lanes = limiter(packLanes);
  const packing = { compression, level, force };
  return Promise.all(
    layers.map((id, index) =>
      lanes.run(async () => {
        const { diffId, diffSize, clampMtime } = facts[index] as LayerFacts;
        const known = (await findBlob(diffId, packing, tools)) ?? (await takeAway(id, packing, { leaveAway, signal }, tools));
        if (known) return known;
        const converted = force === true ? await convertBlob(diffId, packing, tools, signal) : undefined;
        if (converted) return converted;
        const onBytes = (bytes: number): void => onProgress?.(diffId, bytes, diffSize);
        const snapshot = needSnapshot(id, tools.snapshots);
        const { blob, ...packed } = await packSnapshot(snapshot, packing, tools, { signal, clampMtime, onBytes });
        if (packed.diffId === diffId) return blob;
        throw new VarveError("LAYER_NOT_REPRODUCED", `the layer ${diffId} was packed again as ${packed.diffId}`);
      }),
    ),
  );
}

/**
 * A stack's layers with the times of files cut at `clampMtime`, but for the lowest `kept` ones, whose facts are known already. They are
 * other layers than the snapshots' own, so they are packed at once, and their blobs stay.
 */
export async function rewriteLayers(
  { layers }: StackRef,
  facts: readonly LayerFacts[],
  { kept, clampMtime, packing }: { readonly kept: number; readonly clampMtime: number; readonly packing: Packing },
  tools: PackTools,
  signal: AbortSignal,
): Promise<LayerFacts[]> {
  const lanes = limiter(packLanes);
  return await Promise.all(
    layers.map(async (id, index) => {
      const known = facts[index] as LayerFacts;
      if (index < kept) return known;
      const { diffId, diffSize } = await lanes.run(() =>
        packSnapshot(needSnapshot(id, tools.snapshots), packing, tools, { signal, clampMtime }),
      );
      return diffId === known.diffId ? known : { diffId, diffSize, clampMtime };
    }),
  );
}

/** Packs one snapshot's layer into a blob of the store. */
async function packSnapshot(
  snapshot: Snapshot,
  packing: Packing,
  { content, blobs, snapshots, worker }: PackTools,
  {
    signal,
    clampMtime,
    onBytes,
  }: { readonly signal: AbortSignal; readonly clampMtime?: number | undefined; readonly onBytes?: (bytes: number) => void },
): Promise<LayerFacts & { readonly blob: Descriptor }> {
  const { compression, level } = packing;
  const setting = settingOf(packing);
  const path = content.ingestPath();
  const recent = compression === "uncompressed" ? [] : blobs.recentMembers(setting);
  const known = recent.map(({ digest, members }) => ({ blob: content.pathOf(digest), members }));
  const { diffId, diffSize, digest, size, members } = await worker.call(
    packTask,
    {
      ...placeOf(snapshot, snapshots),
      compression,
      path,
      known,
      ...(level === undefined ? {} : { level }),
      ...(clampMtime === undefined ? {} : { clampMtime }),
    },
    { signal, onEvent: ({ current }) => onBytes?.(current) },
  );
  if (digest === undefined || size === undefined) throw new TypeError("a packed layer has a digest");
  await content.commitFile(path, digest);
  const blob = { mediaType: mediaTypeOf[compression], digest, size };
  // Bytes that came from elsewhere too stay a blob from elsewhere.
  if (!blobs.cameAs(diffId).some((other) => other.digest === digest)) blobs.addPacked(diffId, setting, { ...blob, members });
  return { diffId, diffSize, blob };
}

/** What the bytes of a blob hang on, beside its layer. */
function settingOf({ compression, level }: Packing): string {
  const { zlib, zstd = "" } = process.versions;
  if (compression === "uncompressed") return compression;
  return [compression, level ?? "default", compression === "gzip" ? `${zlib} memory 9` : zstd].join(" ");
}

const mediaTypeOf: Readonly<Record<Compression, string>> = {
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
  uncompressed: mediaTypes.ociLayer,
};

async function findBlob(
  diffId: Digest,
  packing: Packing,
  { blobs, content }: Pick<PackTools, "blobs" | "content">,
): Promise<Descriptor | undefined> {
  const isWanted = (blob: Descriptor): boolean => isPackedAs(blob, packing);
  const came = blobs.cameAs(diffId).filter((blob) => packing.force !== true || isWanted(blob));
  const own = blobs.packed(diffId, settingOf(packing));
  const known = [...came.filter(isWanted), ...came.filter((blob) => !isWanted(blob)), ...(own ? [own] : [])];
  for (const blob of known) if (await content.has(blob.digest)) return blob;
  return undefined;
}

/** Of a layer that was left in a registry the blob there, where it will do as it is; it is fetched unless only its name is wanted. */
async function takeAway(
  id: number,
  packing: Packing,
  { leaveAway, signal }: { readonly leaveAway: boolean; readonly signal: AbortSignal },
  { snapshots, imageSource }: PackTools,
): Promise<Descriptor | undefined> {
  const [away] = snapshots.awayAmong([id]);
  if (away === undefined) return undefined;
  const isWanted = packing.force !== true || isPackedAs(away.blob, packing);
  if (!leaveAway || !isWanted) await imageSource.fetchLayer(away.blob.digest, { signal });
  return isWanted ? away.blob : undefined;
}

function isPackedAs({ mediaType }: Descriptor, { compression }: Packing): boolean {
  return compressionOfLayer(mediaType) === (compression === "uncompressed" ? "none" : compression);
}

/** A layer that came from elsewhere in another compression: its tar is not always the one that packing makes. */
async function convertBlob(
  diffId: Digest,
  packing: Packing,
  { blobs, content }: Pick<PackTools, "blobs" | "content">,
  signal: AbortSignal,
): Promise<Descriptor | undefined> {
  for (const came of blobs.cameAs(diffId)) {
    if (!(await content.has(came.digest))) continue;
    const { digest, size } = await content.ingest(
      await recompress(content.open(came.digest, { signal }), { ...packing, signal }),
      { signal },
    );
    const blob = { mediaType: mediaTypeOf[packing.compression], digest, size };
    blobs.addPacked(diffId, settingOf(packing), blob);
    return blob;
  }
  return undefined;
}

function needSnapshot(id: number, snapshots: SnapshotStore): Snapshot {
  const snapshot = snapshots.get(id);
  if (!snapshot) throw new VarveError("IMAGE_INCOMPLETE", `the snapshot ${id} is missing in the store`);
  return snapshot;
}

function placeOf({ id, base }: Snapshot, snapshots: SnapshotStore): { snapshot: readonly string[]; lowers: readonly string[] } {
  return { snapshot: snapshots.fsPaths([id]), lowers: snapshots.fsPaths(base) };
}
