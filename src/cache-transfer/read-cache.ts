import { VarveError } from "../errors/index.ts";
import { collectBytes, verifyDigest } from "../flow/index.ts";
import {
  isIndex,
  isLayer,
  isManifest,
  mediaTypes,
  parseImageConfig,
  parseIndex,
  parseManifest,
  type Descriptor,
  type Digest,
  type ImageReference,
  type Manifest,
} from "../oci/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import { parseCacheConfig, refuseLarge } from "./cache-config.ts";
import { readInlineCache } from "./inline.ts";
import { cacheLimits } from "./limits.ts";
import { findRecords, type FoundRecords } from "./records.ts";
import type { CacheLayer } from "./types.ts";

/** Where a cache is read from: a repository, or a folder with an OCI layout. */
export interface CacheOrigin {
  readonly documents: Pick<RegistryClient, "resolve" | "fetchManifest" | "fetchBlob">;
  readonly reference: ImageReference;
  /** Whether blobs can be taken from `reference` by a registry that has it (and not from a folder). */
  readonly isRegistry: boolean;
}

/** A cache that was read: what it says, and how to get at its layers. No layer was fetched. */
export interface ImportedCache {
  readonly records: FoundRecords;
  readonly origin: CacheOrigin;
  /** The layers of a result; undefined when one is not described well enough to be fetched and checked. */
  layersOf(blobs: readonly Digest[]): readonly CacheLayer[] | undefined;
  /** Blobs of the manifest that are no layers of results: what other rooms put beside them, by their annotations. */
  readonly extras: readonly Descriptor[];
  /** The manifest or index that it was read from. */
  readonly descriptor: Descriptor;
}

/**
 * Reads a cache's manifest and config, in any of its forms (Q16): an index or a manifest with a cache config, or images with
 * inline caches; an image without one is CACHE_NOT_FOUND. All of it is another's: sizes are limited, digests and indices
 * checked. Fails with CACHE_*, IMAGE_INVALID, CONTENT_* and what the origin fails with.
 */
export async function readCache(origin: CacheOrigin, { signal }: { readonly signal: AbortSignal }): Promise<ImportedCache> {
  const { documents, reference } = origin;
  const found = await documents.resolve(reference, { signal });
  const { descriptor } = found;
  refuseLarge(descriptor.size, "cache manifest");
  const bytes = found.bytes ?? (await documents.fetchManifest(reference, descriptor, { signal })).bytes;
  refuseLarge(bytes.length, "cache manifest");
  if (isIndex(descriptor.mediaType)) {
    const { manifests } = parseIndex(bytes);
    const config = manifests.findLast(({ mediaType }) => mediaType === mediaTypes.buildkitCacheConfig);
    const members = manifests.filter((member) => member !== config);
    if (config !== undefined) return { ...(await withConfig(config, members, origin, signal)), descriptor };
    return { ...(await fromImages(manifests, origin, signal)), descriptor };
  }
  const manifest = parseManifest(bytes);
  if (manifest.config.mediaType === mediaTypes.buildkitCacheConfig)
    return { ...(await withConfig(manifest.config, manifest.layers, origin, signal)), descriptor };
  const inline = await fromImage(manifest, origin, signal);
  if (inline === undefined) throw noCache();
  return { ...inline, descriptor };
}

type ReadCache = Omit<ImportedCache, "descriptor">;

async function withConfig(
  config: Descriptor,
  members: readonly Descriptor[],
  origin: CacheOrigin,
  signal: AbortSignal,
): Promise<ReadCache> {
  const parsed = parseCacheConfig(await fetchDocument(config, cacheLimits.maxCacheDocumentBytes, origin, signal));
  const used = new Set<string>(parsed.layers.map(({ blob }) => blob));
  const layers = new Map<Digest, CacheLayer>();
  for (const member of members) {
    const diffId = diffIdOf(member);
    if (isLayer(member.mediaType) && diffId !== undefined) layers.set(member.digest, toLayer(member, diffId, origin));
  }
  return {
    origin,
    records: findRecords(parsed),
    layersOf: (blobs) => gather(blobs, layers),
    extras: members.filter(({ digest }) => !used.has(digest)),
  };
}

/** What the tar of a layer is, by its annotation (L65). */
function diffIdOf({ mediaType, digest, annotations }: Descriptor): Digest | undefined {
  const text = annotations?.["containerd.io/uncompressed"];
  if (text !== undefined) return /^sha256:[0-9a-f]{64}$/.test(text) ? (text as Digest) : undefined;
  return mediaType === mediaTypes.ociLayer || mediaType === mediaTypes.dockerLayer ? digest : undefined;
}

async function fromImages(manifests: readonly Descriptor[], origin: CacheOrigin, signal: AbortSignal): Promise<ReadCache> {
  const images = manifests.filter(
    ({ mediaType, annotations }) => isManifest(mediaType) && annotations?.["vnd.docker.reference.type"] === undefined,
  );
  const read: ReadCache[] = [];
  for (const image of images.slice(0, cacheLimits.maxInlineImages)) {
    const { bytes } = await origin.documents.fetchManifest(origin.reference, image, { signal });
    const cache = await fromImage(parseManifest(bytes), origin, signal);
    if (cache !== undefined) read.push(cache);
  }
  if (read.length === 0) throw noCache();
  return {
    origin,
    records: {
      has: (key) => read.some(({ records }) => records.has(key)),
      // all images of a build know its steps, but each has only the layers of its own platform
      record(key) {
        const known = read.flatMap(({ records }) => records.record(key) ?? []);
        return known[0] && { ...known[0], results: known.flatMap(({ results }) => results) };
      },
      link: (fastKey) => firstOf(read, ({ records }) => records.link(fastKey)),
    },
    layersOf: (blobs) => firstOf(read, (cache) => cache.layersOf(blobs)),
    extras: [],
  };
}

async function fromImage(manifest: Manifest, origin: CacheOrigin, signal: AbortSignal): Promise<ReadCache | undefined> {
  const bytes = await fetchDocument(manifest.config, cacheLimits.maxInlineConfigBytes, origin, signal);
  const inline = readInlineCache(bytes, manifest);
  if (inline === undefined) return undefined;
  const diffIds = parseImageConfig(bytes).rootfs.diff_ids;
  const layers = new Map(manifest.layers.map((blob, index) => [blob.digest, toLayer(blob, diffIds[index] as Digest, origin)]));
  return { origin, records: findRecords(inline), layersOf: (blobs) => gather(blobs, layers), extras: [] };
}

function toLayer({ mediaType, digest, size }: Descriptor, diffId: Digest, origin: CacheOrigin): CacheLayer {
  const { documents, reference, isRegistry } = origin;
  return {
    blob: { mediaType, digest, size },
    diffId,
    open: ({ signal }) => verifyDigest(digest, size)(documents.fetchBlob(reference, { digest, size }, { signal })),
    ...(isRegistry ? { from: reference } : {}),
  };
}

function gather(blobs: readonly Digest[], layers: ReadonlyMap<Digest, CacheLayer>): readonly CacheLayer[] | undefined {
  const found = blobs.flatMap((blob) => layers.get(blob) ?? []);
  return found.length === blobs.length && found.length > 0 ? found : undefined;
}

async function fetchDocument(
  { digest, size }: Descriptor,
  maxBytes: number,
  { documents, reference }: CacheOrigin,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (maxBytes === cacheLimits.maxCacheDocumentBytes) refuseLarge(size, "cache config");
  const source = verifyDigest(digest, size)(documents.fetchBlob(reference, { digest, size }, { signal }));
  return await collectBytes(source, { maxBytes, what: `the config ${digest}` });
}

function noCache(): VarveError {
  return new VarveError("CACHE_NOT_FOUND", "there is an image, but no cache in it", {
    hint: "write one with --cache-to type=inline, or with type=registry under another tag",
  });
}

function firstOf<T, U>(list: readonly T[], find: (item: T) => U | undefined): U | undefined {
  for (const item of list) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
