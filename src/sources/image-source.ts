import { VarveError } from "../errors/index.ts";
import { limiter, singleFlight } from "../flow/index.ts";
import type { ContentStore } from "../content/index.ts";
import type { ImageRecord, ImageStore } from "../images/index.ts";
import { applyTask, type LayerBlobs } from "../layers/index.ts";
import {
  canonicalName,
  chainId,
  chainIds,
  familiarReference,
  formatPlatform,
  formatReference,
  isIndex,
  normalizePlatform,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parseReference,
  selectManifest,
  withDefaultTag,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type ImageReference,
  type Manifest,
  type Platform,
} from "../oci/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { SnapshotStore, StackRef } from "../snapshots/index.ts";
import type { State } from "../state/index.ts";
import type { Worker } from "../worker/index.ts";

export interface ImageSourceOptions {
  readonly state: State;
  readonly registry: RegistryClient;
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly blobs: LayerBlobs;
  readonly snapshots: SnapshotStore;
  readonly worker: Worker;
}

/** An image that was found, not yet downloaded. */
export interface ResolvedImage {
  readonly reference: ImageReference;
  /** What pins it: digest of the index or manifest that the registry serves, or of the config for an image made here. */
  readonly digest: Digest;
  readonly config: ImageConfig;
  readonly configDigest: Digest;
  /** Absent for images made here and never exported. */
  readonly manifest: Manifest | undefined;
  /** Snapshots, where the store has them. */
  readonly layers: readonly number[] | undefined;
}

export interface TransferStatus {
  /** What is transferred: a layer's digest. */
  readonly id: string;
  /** Bytes. */
  readonly current: number;
  readonly total: number;
  readonly done: boolean;
}

export interface ResolveOptions {
  readonly platform: Platform;
  /** Ask the registry although the store has an image of that name. */
  readonly pull: boolean;
  readonly signal: AbortSignal;
  /** Told when an answer of the registry from an earlier day had to do. */
  readonly onWarning?: (message: string) => void;
}

interface UseOptions {
  readonly signal: AbortSignal;
  readonly onStatus?: (status: TransferStatus) => void;
}

/** Images as sources of a build. */
export interface ImageSource {
  /** Finds an image by name: in the store first (as `docker build` does), then in its registry. Reads its config, no layer. */
  resolve(reference: ImageReference, options: ResolveOptions): Promise<ResolvedImage>;
  /** What an image's root is made of, as one digest; for a text that {@link ImageSource.resolve} pinned. */
  chainOf(pinned: string, platform: OpPlatformLike | undefined, options: UseOptions): Promise<string>;
  /** The image's root as a stack; downloads and unpacks what the store lacks. */
  unpack(pinned: string, platform: OpPlatformLike | undefined, options: UseOptions): Promise<StackRef>;
  /** The root of an image of the store. */
  unpackRecord(record: ImageRecord, config: ImageConfig, options: UseOptions): Promise<StackRef>;
  /** Downloads all layers, without unpacking them. */
  download(image: ResolvedImage, options: UseOptions): Promise<void>;
}

interface OpPlatformLike {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

/** More than this is no config or manifest of an image (bytes). */
const maxDocumentBytes = 8 * 1024 * 1024;

/** Layers that are downloaded at the same time. */
const downloadLanes = 3;

export function createImageSource(options: ImageSourceOptions): ImageSource {
  const { content, snapshots, registry, images, state } = options;
  const pinned = new Map<string, ResolvedImage>();
  const unpacking = singleFlight<string, number>();
  const downloading = singleFlight<string, void>();
  const lanes = limiter(downloadLanes);

  const pinKey = (reference: string, platform: OpPlatformLike) => `${reference} ${formatPlatform(normalizePlatform(trimPlatform(platform)))}`;

  async function readBlob(reference: ImageReference, descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    const { digest, size } = descriptor;
    if (!(await content.has(digest))) await content.ingest(registry.fetchBlob(reference, descriptor, { signal }), { expected: { digest, size }, signal });
    return content.readAll(digest, { maxBytes: maxDocumentBytes, signal });
  }

  async function readManifest(reference: ImageReference, descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    if (await content.has(descriptor.digest)) return content.readAll(descriptor.digest, { maxBytes: maxDocumentBytes, signal });
    const { bytes } = await registry.fetchManifest(reference, descriptor, { signal });
    await content.writeBytes(bytes, { signal });
    return bytes;
  }

  /** The registry's answer to a tag is asked for in every build; an earlier answer serves when it cannot be reached. */
  async function askRegistry(reference: ImageReference, { signal, onWarning }: ResolveOptions): Promise<Descriptor> {
    const name = formatReference(reference);
    try {
      const { descriptor } = await registry.resolve(reference, { signal });
      state.run(
        "INSERT OR REPLACE INTO resolved_images (name, digest, media_type, size, time) VALUES (?, ?, ?, ?, ?)",
        name,
        descriptor.digest,
        descriptor.mediaType,
        descriptor.size,
        Date.now(),
      );
      return descriptor;
    } catch (error) {
      const row = state.get<{ digest: Digest; media_type: string; size: number; time: number }>("SELECT * FROM resolved_images WHERE name = ?", name);
      if (!(error instanceof VarveError) || error.kind !== "unavailable" || !row) throw error;
      onWarning?.(`${familiarReference(reference)}: ${error.message}; using what the registry answered on ${new Date(row.time).toISOString()}`);
      return { digest: row.digest, mediaType: row.media_type, size: row.size };
    }
  }

  async function fromRegistry(reference: ImageReference, resolve: ResolveOptions): Promise<ResolvedImage> {
    const { platform, signal } = resolve;
    const root = await askRegistry(reference, resolve);
    let descriptor = root;
    if (isIndex(root.mediaType)) {
      const found = selectManifest(parseIndex(await readManifest(reference, root, signal)), platform);
      if (!found) {
        throw new VarveError("IMAGE_NO_PLATFORM", `${familiarReference(reference)}: no match for platform ${formatPlatform(platform)} in manifest: not found`);
      }
      descriptor = found;
    }
    const manifest = parseManifest(await readManifest(reference, descriptor, signal));
    const config = parseImageConfig(await readBlob(reference, manifest.config, signal));
    return { reference, digest: root.digest, config, configDigest: manifest.config.digest, manifest, layers: undefined };
  }

  async function fromStore(reference: ImageReference, record: ImageRecord, signal: AbortSignal): Promise<ResolvedImage> {
    const config = parseImageConfig(await content.readAll(record.id, { maxBytes: maxDocumentBytes, signal }));
    return { reference, digest: record.id, config, configDigest: record.id, manifest: record.manifest, layers: record.layers };
  }

  async function find(reference: ImageReference, resolve: ResolveOptions): Promise<ResolvedImage> {
    const { digest } = reference;
    const record = digest
      ? (images.byDigest(canonicalName(reference), digest) ?? images.get(digest))
      : resolve.pull
        ? undefined
        : images.byName(formatReference(reference));
    if (record) {
      const image = await fromStore(reference, record, resolve.signal);
      if (matches(image.config, resolve.platform)) return image;
    }
    return fromRegistry(reference, resolve);
  }

  async function lookUp(text: string, platform: OpPlatformLike | undefined, signal: AbortSignal): Promise<ResolvedImage> {
    if (!platform) throw new TypeError(`the source ${text} has no platform`);
    const key = pinKey(text, platform);
    const known = pinned.get(key);
    if (known) return known;
    const image = await find(parseReference(text), { platform: trimPlatform(platform), pull: false, signal });
    pinned.set(key, image);
    return image;
  }

  async function ensureBlob(image: ResolvedImage, index: number, { signal, onStatus }: UseOptions): Promise<Descriptor> {
    const diffId = image.config.rootfs.diff_ids[index];
    const descriptor = image.manifest?.layers[index];
    const known = diffId ? options.blobs.of(diffId) : [];
    for (const blob of known) if (await content.has(blob.digest)) return blob;
    if (!descriptor || !diffId) throw new VarveError("IMAGE_INCOMPLETE", `a layer of ${familiarReference(image.reference)} is missing in the store`);
    const { digest, size } = descriptor;
    if (!(await content.has(digest))) {
      await downloading.run(
        digest,
        (flightSignal) =>
          lanes.run(async () => {
            const onProgress = (current: number) => onStatus?.({ id: digest, current, total: size, done: current === size });
            await content.ingest(registry.fetchBlob(image.reference, descriptor, { signal: flightSignal }), { expected: { digest, size }, signal: flightSignal, onProgress });
          }),
        { signal },
      );
    }
    return descriptor;
  }

  async function unpackLayer(image: ResolvedImage, index: number, chain: Digest, base: readonly number[], blob: Descriptor, use: UseOptions): Promise<number> {
    const diffId = image.config.rootfs.diff_ids[index] as Digest;
    return unpacking.run(
      chain,
      async (signal) => {
        const known = snapshots.findByChain(chain);
        if (known) return known.id;
        const active = snapshots.create(base);
        const lowers = base.map((id) => snapshots.fsPath(id));
        const id = `extracting ${blob.digest}`;
        const onEvent = ({ current }: { readonly current: number }) => use.onStatus?.({ id, current, total: blob.size, done: current === blob.size });
        const params = { blob: content.pathOf(blob.digest), digest: blob.digest, diffId, lowers, snapshot: active.path };
        const { bytes } = await options.worker.call(applyTask, params, { signal, onEvent });
        options.blobs.add(diffId, blob);
        return active.commit({ chainId: chain, diffId, diffSize: bytes }).id;
      },
      { signal: use.signal },
    );
  }

  async function unpackImage(image: ResolvedImage, use: UseOptions): Promise<StackRef> {
    if (image.layers?.every((id) => snapshots.get(id))) return { kind: "stack", layers: image.layers };
    const chains = chainIds(image.config.rootfs.diff_ids);
    const layers: number[] = [];
    for (const chain of chains) {
      const found = snapshots.findByChain(chain);
      if (!found) break;
      layers.push(found.id);
    }
    const present = layers.length;
    const missing = chains.slice(present).map((chain, offset) => ({ chain, index: present + offset }));
    const downloads = missing.map(({ index }) => ensureBlob(image, index, use));
    try {
      for (const [position, { chain, index }] of missing.entries()) {
        const blob = await (downloads[position] as Promise<Descriptor>);
        layers.push(await unpackLayer(image, index, chain, [...layers], blob, use));
      }
    } finally {
      await Promise.allSettled(downloads);
    }
    return { kind: "stack", layers };
  }

  return {
    async resolve(given, resolve) {
      const reference = withDefaultTag(given);
      const image = await find(reference, resolve);
      const { osVersion: _, ...platform } = { variant: "", ...resolve.platform };
      pinned.set(pinKey(`${formatReference(reference).split("@")[0]}@${image.digest}`, platform), image);
      return image;
    },
    async chainOf(text, platform, { signal }) {
      const { config } = await lookUp(text, platform, signal);
      return chainId(config.rootfs.diff_ids) ?? "";
    },
    unpack: async (text, platform, use) => unpackImage(await lookUp(text, platform, use.signal), use),
    unpackRecord(record, config, use) {
      const reference = parseReference(record.names[0] ?? "image");
      return unpackImage({ reference, digest: record.id, config, configDigest: record.id, manifest: record.manifest, layers: record.layers }, use);
    },
    async download(image, use) {
      await Promise.all(image.config.rootfs.diff_ids.map((_, index) => ensureBlob(image, index, use)));
    },
  };
}

function matches(config: ImageConfig, platform: Platform): boolean {
  return config.os === platform.os && config.architecture === platform.architecture;
}

function trimPlatform({ os, architecture, variant }: OpPlatformLike): Platform {
  return variant === "" ? { os, architecture } : { os, architecture, variant };
}
