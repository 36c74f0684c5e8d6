import type { ContentStore } from "../content/index.ts";
import { VarveError } from "../errors/index.ts";
import type { ImageRecord, ImageStore } from "../images/index.ts";
import {
  canonicalName,
  familiarReference,
  formatPlatform,
  formatReference,
  isIndex,
  listsManifests,
  parseImageConfig,
  parseIndex,
  parseManifest,
  selectManifest,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type ImageReference,
  type Platform,
} from "../oci/index.ts";
import type { SnapshotStore } from "../snapshots/index.ts";
import type { State } from "../state/index.ts";
import { fetchBlob } from "./fetch-blob.ts";
import { maxDocumentBytes, type ImageOrigin, type ResolvedImage, type ResolveOptions } from "./image-types.ts";

export interface FindOptions {
  readonly state: State;
  readonly registry: ImageOrigin;
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly snapshots: Pick<SnapshotStore, "claim">;
}

/** Finds an image by name: in the store first (as `docker build` does), then in its registry; or in one layout folder. */
export function createImageFinder({
  state,
  registry,
  content,
  images,
  snapshots,
}: FindOptions): (reference: ImageReference, options: ResolveOptions) => Promise<ResolvedImage> {
  async function readConfig(
    reference: ImageReference,
    descriptor: Descriptor,
    origin: ImageOrigin,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { digest } = descriptor;
    if (!(await content.has(digest))) await fetchBlob({ origin, reference }, descriptor, { content, signal });
    return content.readAll(digest, { maxBytes: maxDocumentBytes, signal });
  }

  async function readManifest(
    reference: ImageReference,
    descriptor: Descriptor,
    origin: ImageOrigin,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    if (await content.has(descriptor.digest)) return content.readAll(descriptor.digest, { maxBytes: maxDocumentBytes, signal });
    const { bytes } = await origin.fetchManifest(reference, descriptor, { signal });
    await content.writeBytes(bytes, { signal });
    return bytes;
  }

  /**
   * The registry's answer to a tag is asked for in every build; an earlier answer serves when it cannot be reached, unless
   * a pull was asked for.
   */
  async function askRegistry(reference: ImageReference, { pull, signal, onWarning }: ResolveOptions): Promise<Descriptor> {
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
      const row = state.get<{ digest: Digest; media_type: string; size: number; time: number }>(
        "SELECT * FROM resolved_images WHERE name = ?",
        name,
      );
      if (!(error instanceof VarveError) || error.kind !== "unavailable" || pull || !row) throw error;
      onWarning?.(
        `${familiarReference(reference)}: ${error.message}; using what the registry answered on ${new Date(row.time).toISOString()}`,
      );
      return { digest: row.digest, mediaType: row.media_type, size: row.size };
    }
  }

  async function fromOrigin(
    reference: ImageReference,
    root: Descriptor,
    origin: ImageOrigin,
    { platform, signal }: ResolveOptions,
  ): Promise<ResolvedImage> {
    let descriptor = root;
    if (isIndex(root.mediaType)) {
      const found = selectManifest(parseIndex(await readManifest(reference, root, origin, signal)), platform);
      if (!found) {
        throw new VarveError(
          "IMAGE_NO_PLATFORM",
          `${familiarReference(reference)}: no match for platform ${formatPlatform(platform)} in manifest: not found`,
        );
      }
      descriptor = found;
    }
    const manifest = parseManifest(await readManifest(reference, descriptor, origin, signal));
    const config = parseImageConfig(await readConfig(reference, manifest.config, origin, signal));
    return { reference, digest: root.digest, config, configDigest: manifest.config.digest, manifest, layers: undefined, origin };
  }

  async function fromStore(reference: ImageReference, record: ImageRecord, signal: AbortSignal): Promise<ResolvedImage> {
    // before somebody removes the image and prunes: its layers may be nowhere else
    if (record.layers) snapshots.claim(record.layers);
    const config = parseImageConfig(await content.readAll(record.id, { maxBytes: maxDocumentBytes, signal }));
    return {
      reference,
      digest: record.id,
      config,
      configDigest: record.id,
      manifest: record.manifest,
      layers: record.layers,
      origin: registry,
    };
  }

  /** Of a name that the store has for several platforms: the image for this one. */
  async function forPlatform(name: string, { platform, signal }: ResolveOptions): Promise<ImageRecord | undefined> {
    const index = images.indexOf(name);
    if (index === undefined) return undefined;
    const read = (digest: Digest) => content.readAll(digest, { maxBytes: maxDocumentBytes, signal });
    const document = await read(index.digest);
    if (!listsManifests(document)) return undefined;
    const manifest = selectManifest(parseIndex(document), platform);
    return manifest && images.get(parseManifest(await read(manifest.digest)).config.digest);
  }

  return async (reference, options) => {
    const { origin, signal } = options;
    if (origin !== undefined)
      return fromOrigin(reference, (await origin.resolve(reference, { signal })).descriptor, origin, options);
    const { digest } = reference;
    const record = digest
      ? (images.byDigest(canonicalName(reference), digest) ?? images.get(digest))
      : options.pull
        ? undefined
        : images.byName(formatReference(reference));
    if (record) {
      const image = await fromStore(reference, record, signal);
      if (matches(image.config, options.platform)) return image;
      const other = digest === undefined ? await forPlatform(formatReference(reference), options) : undefined;
      if (other) return await fromStore(reference, other, signal);
    }
    return fromOrigin(reference, await askRegistry(reference, options), registry, options);
  };
}

function matches(config: ImageConfig, platform: Platform): boolean {
  return config.os === platform.os && config.architecture === platform.architecture;
}
