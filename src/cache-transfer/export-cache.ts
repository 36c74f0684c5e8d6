import { VarveError } from "../errors/index.ts";
import { limiter, type ByteSource } from "../flow/index.ts";
import {
  compressionOfLayer,
  mediaTypes,
  serializeIndex,
  serializeManifest,
  sha256,
  type Descriptor,
  type Digest,
  type ImageReference,
} from "../oci/index.ts";
import type { SolvedVertex } from "../solver/index.ts";
import { encodeCacheConfig, refuseLarge, type ConfigLayer } from "./cache-config.ts";
import { recordsOf } from "./records.ts";
import type { CacheLayer } from "./types.ts";

/** What a cache is written to. A cache is there when its manifest is: blobs alone are nothing. */
export interface CacheTarget {
  /** Stores a blob unless it is there. `from`: a repository that has it. */
  putBlob(
    blob: Pick<Descriptor, "digest" | "size">,
    open: () => ByteSource,
    options: { readonly signal: AbortSignal; readonly from?: ImageReference | undefined },
  ): Promise<void>;
  /** Makes the cache what the target's name stands for. */
  putManifest(mediaType: string, bytes: Uint8Array, options: { readonly signal: AbortSignal }): Promise<Descriptor>;
}

export interface ExportCacheOptions {
  /** All of a solve, inputs first. */
  readonly vertices: readonly SolvedVertex[];
  /** The layers of results by key, from the lowest up. */
  readonly results: ReadonlyMap<string, readonly CacheLayer[]>;
  readonly target: CacheTarget;
  readonly imageManifest: boolean;
  readonly ociMediaTypes: boolean;
  /** Blobs to carry beside the layers, each with its annotations; readers find them in {@link ImportedCache.extras}. */
  readonly extras?: readonly { readonly descriptor: Descriptor; readonly open: () => ByteSource }[];
  readonly signal: AbortSignal;
  /** Told what is being written, as BuildKit tells it. */
  readonly onStatus?: (id: string, done: boolean) => void;
}

/** Layers that are sent at the same time. */
const lanes = 4;

/**
 * Writes a cache: its layers, its config, and at last its manifest. Undefined when no result has a layer, since BuildKit
 * writes nothing then (Q13). Fails with CACHE_TOO_LARGE, and with what the layers and the target fail with.
 */
export async function exportCache(options: ExportCacheOptions): Promise<Descriptor | undefined> {
  const { vertices, results, target, imageManifest, ociMediaTypes, extras = [], signal, onStatus = () => undefined } = options;
  if (imageManifest && !ociMediaTypes) {
    throw new VarveError("CACHE_OPTIONS", "a cache with image-manifest=true has OCI media types only", {
      hint: "leave out oci-mediatypes=false, or add image-manifest=false",
    });
  }
  const forest = plantLayers(results);
  if (forest.layers.length === 0 && extras.length === 0) return undefined;
  const records = recordsOf(vertices, (key) => {
    const layer = forest.tops.get(key);
    return layer === undefined ? undefined : { layer };
  });
  const config = encodeCacheConfig({ layers: forest.layers, records });
  const members = [...forest.blobs.values()].map((layer) => describeLayer(layer, ociMediaTypes));
  const configDescriptor = { mediaType: mediaTypes.buildkitCacheConfig, digest: sha256(config), size: config.length };
  const manifest = writeCarrier([...members, ...extras.map(({ descriptor }) => descriptor)], configDescriptor, options);
  refuseLarge(manifest.length, "cache manifest");

  const lane = limiter(lanes);
  const write = async (id: string, work: () => Promise<unknown>): Promise<void> => {
    onStatus(id, false);
    await work();
    onStatus(id, true);
  };
  const stop = new AbortController();
  const sending = AbortSignal.any([signal, stop.signal]);
  const blobs = [
    ...[...forest.blobs.values()].map(({ blob, open, from }) => ({ blob, open: () => open({ signal: sending }), from })),
    ...extras.map(({ descriptor: blob, open }) => ({ blob, open, from: undefined })),
  ];
  const sent = blobs.map(({ blob, open, from }) =>
    lane.run(async () => {
      sending.throwIfAborted();
      await write(`writing layer ${blob.digest}`, () => target.putBlob(blob, open, { signal: sending, from }));
    }),
  );
  try {
    await Promise.all(sent);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(sent);
    throw error;
  }
  const bytesOf = (bytes: Uint8Array) =>
    async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      yield bytes;
    };
  await write(`writing config ${configDescriptor.digest}`, () => target.putBlob(configDescriptor, bytesOf(config), { signal }));
  const title = imageManifest ? "writing cache image manifest" : "writing cache manifest";
  const id = `${title} ${sha256(manifest)}`;
  onStatus(id, false);
  const descriptor = await target.putManifest(carrierType(options), manifest, { signal });
  onStatus(id, true);
  return descriptor;
}

interface Forest {
  readonly layers: readonly ConfigLayer[];
  /** Index of the uppermost layer of each result. */
  readonly tops: ReadonlyMap<string, number>;
  readonly blobs: ReadonlyMap<Digest, CacheLayer>;
}

/** Chains that begin alike share their lower layers. */
function plantLayers(results: ReadonlyMap<string, readonly CacheLayer[]>): Forest {
  const layers: ConfigLayer[] = [];
  const tops = new Map<string, number>();
  const blobs = new Map<Digest, CacheLayer>();
  const indices = new Map<string, number>();
  for (const [key, chain] of results) {
    let parent = -1;
    for (const layer of chain) {
      const { digest: blob } = layer.blob;
      const place = `${parent} ${blob}`;
      let index = indices.get(place);
      if (index === undefined) {
        index = layers.push({ blob, parent }) - 1;
        indices.set(place, index);
        if (!blobs.has(blob)) blobs.set(blob, layer);
      }
      parent = index;
    }
    if (parent >= 0) tops.set(key, parent);
  }
  return { layers, tops, blobs };
}

function describeLayer({ blob: { mediaType, digest, size }, diffId }: CacheLayer, oci: boolean): Descriptor {
  return { mediaType: typeOf(mediaType, oci), digest, size, annotations: { "containerd.io/uncompressed": diffId } };
}

/** A layer's media type in one of the two families. */
function typeOf(mediaType: string, oci: boolean): string {
  switch (compressionOfLayer(mediaType)) {
    case "gzip":
      return oci ? mediaTypes.ociLayerGzip : mediaTypes.dockerLayerGzip;
    case "zstd":
      return oci ? mediaTypes.ociLayerZstd : mediaTypes.dockerLayerZstd;
    case "none":
      return oci ? mediaTypes.ociLayer : mediaTypes.dockerLayer;
    case undefined:
      return mediaType;
  }
}

function carrierType({ imageManifest, ociMediaTypes }: Pick<ExportCacheOptions, "imageManifest" | "ociMediaTypes">): string {
  if (imageManifest) return mediaTypes.ociManifest;
  return ociMediaTypes ? mediaTypes.ociIndex : mediaTypes.dockerList;
}

/** What names all blobs of a cache (L64): an image manifest whose config is the cache's, or an index that ends with it. */
function writeCarrier(
  members: readonly Descriptor[],
  config: Descriptor,
  options: Pick<ExportCacheOptions, "imageManifest" | "ociMediaTypes">,
): Uint8Array {
  const head = { schemaVersion: 2, mediaType: carrierType(options) } as const;
  return options.imageManifest
    ? serializeManifest({ ...head, config, layers: members })
    : serializeIndex({ ...head, manifests: [...members, config] });
}
