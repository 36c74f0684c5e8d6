import type { ContentStore } from "../content/index.ts";
import { VarveError } from "../errors/index.ts";
import { limiter } from "../flow/index.ts";
import { packTask, type LayerBlobs, type PackResult } from "../layers/index.ts";
import { chainIds, compressionOfLayer, mediaTypes, type Descriptor, type Digest } from "../oci/index.ts";
import type { Snapshot, SnapshotStore, StackRef } from "../snapshots/index.ts";
import type { Worker } from "../worker/index.ts";

export type Compression = "gzip" | "zstd" | "uncompressed";

export interface PackTools {
  readonly content: ContentStore;
  readonly blobs: LayerBlobs;
  readonly snapshots: SnapshotStore;
  readonly worker: Worker;
}

export interface LayerFacts {
  readonly diffId: Digest;
  /** Bytes of the tar. */
  readonly diffSize: number;
}

/** Layers that are packed at the same time; each uses several cores by itself. */
const packLanes = 2;

/** The digests of a stack's layers, computed where they are not known yet. Their chain IDs become known with them. */
export async function identifyLayers(
  { layers }: StackRef,
  { snapshots, worker }: PackTools,
  signal: AbortSignal,
): Promise<LayerFacts[]> {
  const lanes = limiter(packLanes);
  const facts = await Promise.all(
    layers.map(async (id) => {
      const snapshot = needSnapshot(id, snapshots);
      if (snapshot.diffId !== undefined && snapshot.diffSize !== undefined)
        return { diffId: snapshot.diffId as Digest, diffSize: snapshot.diffSize };
      const { diffId, diffSize } = await lanes.run(() =>
        worker.call(packTask, { ...placeOf(snapshot, snapshots), compression: "none" }, { signal }),
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

/** Blobs of a stack's layers: those that exist in any compression (base layers stay as they came), else made in the given one. */
export async function blobLayers(
  { layers }: StackRef,
  facts: readonly LayerFacts[],
  compression: Compression,
  tools: PackTools,
  {
    signal,
    level,
    onProgress,
  }: {
    readonly signal: AbortSignal;
    /** Of the compression, for blobs that are made. */
    readonly level?: number | undefined;
    readonly onProgress?: (diffId: Digest, bytes: number, total: number) => void;
  },
): Promise<Descriptor[]> {
  const lanes = limiter(packLanes);
  return Promise.all(
    layers.map((id, index) =>
      lanes.run(async () => {
        const { diffId, diffSize } = facts[index] as LayerFacts;
        const known = await findBlob(diffId, compression, tools);
        if (known) return known;
        const path = tools.content.ingestPath();
        const packed: PackResult = await tools.worker.call(
          packTask,
          { ...placeOf(needSnapshot(id, tools.snapshots), tools.snapshots), compression, path, ...(level === undefined ? {} : { level }) },
          { signal, onEvent: ({ current }) => onProgress?.(diffId, current, diffSize) },
        );
        if (packed.diffId !== diffId || packed.digest === undefined || packed.size === undefined) {
          throw new VarveError("LAYER_NOT_REPRODUCED", `the layer ${diffId} was packed again as ${packed.diffId}`);
        }
        await tools.content.commitFile(path, packed.digest);
        const blob = { mediaType: mediaTypeOf[compression], digest: packed.digest, size: packed.size };
        tools.blobs.add(diffId, blob);
        return blob;
      }),
    ),
  );
}

const mediaTypeOf: Readonly<Record<Compression, string>> = {
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
  uncompressed: mediaTypes.ociLayer,
};

async function findBlob(
  diffId: Digest,
  compression: Compression,
  { blobs, content }: PackTools,
): Promise<Descriptor | undefined> {
  const wanted = compression === "uncompressed" ? "none" : compression;
  const known = [...blobs.of(diffId)].sort(
    (a, b) => Number(compressionOfLayer(b.mediaType) === wanted) - Number(compressionOfLayer(a.mediaType) === wanted),
  );
  for (const blob of known) if (await content.has(blob.digest)) return blob;
  return undefined;
}

function needSnapshot(id: number, snapshots: SnapshotStore): Snapshot {
  const snapshot = snapshots.get(id);
  if (!snapshot) throw new VarveError("IMAGE_INCOMPLETE", `the snapshot ${id} is missing in the store`);
  return snapshot;
}

function placeOf({ id, base }: Snapshot, snapshots: SnapshotStore): { snapshot: string; lowers: string[] } {
  return { snapshot: snapshots.fsPath(id), lowers: base.map((lower) => snapshots.fsPath(lower)) };
}
