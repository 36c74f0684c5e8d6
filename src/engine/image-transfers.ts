import { VarveError } from "../errors/index.ts";
import type { ArchiveImage } from "../exporters/index.ts";
import type { ImageRecord } from "../images/index.ts";
import {
  canonicalName,
  familiarReference,
  formatPlatform,
  formatReference,
  hostPlatform,
  parsePlatform,
  parseReference,
  serializeManifest,
  withDefaultTag,
  type Digest,
  type ImageConfig,
  type ImageReference,
  type Manifest,
} from "../oci/index.ts";
import { pushImage, type PushTree } from "../registry/index.ts";
import { internalStep } from "./internal-step.ts";
import type { Parts } from "./parts.ts";
import type { LimitedWork } from "./quota.ts";
import { pushFailure } from "./push-failure.ts";
import { findServedManifest, type ServedManifest } from "./served-manifest.ts";
import { findServedDocument } from "./served-document.ts";
import type { LayerTransfer, PullOptions, PullResult, PushOptions, PushResult } from "./types.ts";

type Archived = Pick<ArchiveImage, "manifest" | "descriptor">;

const never = new AbortController().signal;
const nothing = (): void => undefined;

/** The blobs of an image in the content store, or left in a registry until somebody wants their bytes; each with the repositories of this registry that have been seen to have it. */
export function pushTreeOf(
  image: Archived | ServedManifest,
  reference: ImageReference,
  { content, blobPlaces, imageSource }: Pick<Parts, "content" | "blobPlaces" | "imageSource">,
  signal: AbortSignal,
): PushTree {
  const open = async function* (digest: Digest) {
    await imageSource.fetchLayer(digest, { signal });
    yield* content.open(digest, { signal });
  };
  const { manifest, mediaType, bytes } = "bytes" in image ? image : asServed(image);
  return {
    mediaType,
    bytes,
    // What has addresses of its own is not a registry's to hold. (OCI image-spec, "Non-Distributable Layers")
    blobs: [...manifest.layers.filter(({ urls }) => urls === undefined), manifest.config].map(({ digest, size }) => ({
      digest,
      size,
      open: () => open(digest),
      mountFrom: blobPlaces.of(digest, reference.domain),
    })),
  };
}

/** Sends an image of the store under a name. Whatever the registry does to that is PUSH_FAILED. */
export async function pushStored(
  { record, config, archive }: { record: ImageRecord; config: ImageConfig; archive: (signal: AbortSignal) => Promise<Archived> },
  name: string,
  parts: Parts,
  { platform, signal = never, onEvent = nothing, onLayer = nothing }: PushOptions,
): Promise<PushResult> {
  const reference = withDefaultTag(parseReference(name));
  const host = hostPlatform(process.arch);
  if (platform !== undefined) {
    const wanted = parsePlatform(platform, { host });
    if (wanted.os !== config.os || wanted.architecture !== config.architecture) {
      throw new VarveError(
        "IMAGE_NO_PLATFORM",
        `image with reference ${familiarReference(reference)} was found but does not provide the specified platform (${formatPlatform(wanted)})`,
      );
    }
  }
  const findTree = async (within: AbortSignal): Promise<{ tree: PushTree; layers: ReadonlySet<string> }> => {
    const named = platform === undefined ? await findServedDocument(reference, parts, within) : undefined;
    if (named !== undefined && "manifests" in named) {
      const manifests = named.manifests.map((each) => pushTreeOf(each, reference, parts, within));
      return { tree: { mediaType: named.mediaType, bytes: named.bytes, manifests }, layers: layersOf(named.manifests) };
    }
    const served = named ?? (await findServedManifest(record, parts, { signal: within })) ?? asServed(await archive(within));
    return { tree: pushTreeOf(served, reference, parts, within), layers: layersOf([served]) };
  };
  return await internalStep(`push ${formatReference(reference)}`, onEvent, async (status) => {
    using _used = parts.leases.hold();
    const { tree, layers } = await findTree(signal);
    try {
      const descriptor = await pushImage(parts.registry, reference, tree, {
        signal,
        onStatus({ digest, current, total, how, from }) {
          status(digest, current, total, how !== undefined);
          if (layers.has(digest)) onLayer(layerOf(digest, current, total, how, from));
        },
      });
      parts.blobPlaces.add([...layers] as Digest[], reference);
      parts.images.addDigest(canonicalName(reference), descriptor.digest, record.id);
      return { descriptor };
    } catch (error) {
      throw pushFailure(error, familiarReference(reference));
    }
  });
}

function layersOf(manifests: readonly ServedManifest[]): ReadonlySet<string> {
  return new Set(manifests.flatMap(({ manifest }) => manifest.layers.map(({ digest }) => digest)));
}

function asServed({ manifest, descriptor }: Archived): ServedManifest {
  return { manifest, mediaType: descriptor.mediaType, bytes: serializeManifest(manifest) };
}

function layerOf(
  digest: Digest,
  current: number,
  total: number,
  how: "exists" | "mounted" | "uploaded" | undefined,
  from: string | undefined,
): LayerTransfer {
  const state = how === "uploaded" ? "pushed" : how === undefined ? (current === 0 ? "waiting" : "pushing") : how;
  return { digest, current, total, state, ...(from === undefined ? {} : { from }) };
}

/** Gets an image from its registry and keeps it. */
export async function pullImage(
  name: string,
  parts: Parts,
  {
    unpack,
    limited,
  }: {
    /** The answer puts the image into the store. */
    readonly unpack: (
      image: { readonly id: Digest; readonly config: ImageConfig; readonly manifest: Manifest | undefined },
      signal: AbortSignal,
    ) => Promise<() => void>;
    readonly limited: LimitedWork;
  },
  { platform, signal = never, onEvent = nothing, onLayer = nothing }: PullOptions,
): Promise<PullResult> {
  const { imageSource, images, blobs, blobPlaces } = parts;
  const reference = withDefaultTag(parseReference(name));
  const canonical = formatReference(reference);
  return await internalStep(`pull ${canonical}`, onEvent, async (status) => {
    using _used = parts.leases.hold();
    const host = hostPlatform(process.arch);
    const wanted = platform === undefined ? host : parsePlatform(platform, { host });
    const image = await imageSource.resolve(reference, { platform: wanted, pull: true, signal });
    const { manifest, config, configDigest } = image;
    const layers = manifest?.layers ?? [];
    const fetched = new Set<string>();
    const missing = await Promise.all(layers.map(async ({ digest, size }) => ((await parts.content.has(digest)) ? 0 : size)));
    await limited.makeRoom(
      missing.reduce((sum, size) => sum + size, 0),
      `the image ${familiarReference(reference)}`,
    );
    const put = await limited.within(signal, async (within) => {
      await imageSource.download(image, {
        signal: within,
        onStatus({ id, current, total, done }) {
          fetched.add(id);
          status(id, current, total, done);
          onLayer({ digest: id as Digest, current, total, state: done ? "downloaded" : "downloading" });
        },
      });
      config.rootfs.diff_ids.forEach((diffId, index) => {
        const layer = layers[index];
        if (layer) blobs.add(diffId, layer);
      });
      blobPlaces.add(
        layers.map(({ digest }) => digest),
        reference,
      );
      return await unpack({ id: configDigest, config, manifest }, within);
    });
    const changed = images.byName(canonical)?.id !== configDigest;
    put();
    for (const { digest, size } of layers)
      onLayer({ digest, current: size, total: size, state: fetched.has(digest) ? "pulled" : "exists" });
    if (reference.tag !== undefined) images.setName(canonical, configDigest);
    images.addDigest(canonicalName(reference), image.digest, configDigest);
    return { name: canonical, digest: image.digest, changed };
  });
}
