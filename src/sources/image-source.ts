import type { ImageRecord } from "../images/index.ts";
import {
  chainId,
  formatPlatform,
  formatReference,
  normalizePlatform,
  parseReference,
  withDefaultTag,
  type ImageConfig,
  type ImageReference,
  type Platform,
} from "../oci/index.ts";
import type { StackRef } from "../snapshots/index.ts";
import { createImageFinder, type FindOptions } from "./find-image.ts";
import type { ImageOrigin, ResolvedImage, ResolveOptions, UseOptions } from "./image-types.ts";
import { createImageUnpacker, type ImageUnpacker, type LayeredRoot, type UnpackOptions } from "./unpack-image.ts";

export type ImageSourceOptions = FindOptions & UnpackOptions;

/** How a source op names an image: the text that {@link ImageSource.resolve} pinned, and where it comes from. */
export interface PinnedImage {
  readonly reference: string;
  readonly platform: OpPlatformLike | undefined;
  /** Absent: the store and the registry. */
  readonly origin?: ImageOrigin;
}

/** Images as sources of a build. */
export interface ImageSource extends Pick<ImageUnpacker, "bring" | "fetchLayer"> {
  /** Finds an image by name: in the store first (as `docker build` does), then in its registry. Reads its config, no layer. */
  resolve(reference: ImageReference, options: ResolveOptions): Promise<ResolvedImage>;
  /** What an image's root is made of, as one digest. */
  chainOf(pinned: PinnedImage, options: UseOptions): Promise<string>;
  /** The image's root as a stack; downloads and unpacks what the store lacks. */
  unpack(pinned: PinnedImage, options: UseOptions): Promise<StackRef>;
  /** The same for whoever reads no file of it now: what the store lacks of a registry's image stays there until `bring`. */
  stackOf(pinned: PinnedImage, options: UseOptions): Promise<StackRef>;
  /** The root of an image of the store. */
  unpackRecord(record: ImageRecord, config: ImageConfig, options: UseOptions): Promise<StackRef>;
  /** A root made of layers from elsewhere (an imported cache), as `unpack` makes that of an image. */
  unpackLayers(layers: LayeredRoot, options: UseOptions): Promise<StackRef>;
  /** Downloads all layers, without unpacking them. */
  download(image: ResolvedImage, options: UseOptions): Promise<void>;
}

interface OpPlatformLike {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

export function createImageSource(options: ImageSourceOptions): ImageSource {
  const find = createImageFinder(options);
  const unpacker = createImageUnpacker(options);
  const pinned = new Map<string, ResolvedImage>();
  const keyOf = (reference: string, platform: OpPlatformLike) =>
    `${reference} ${formatPlatform(normalizePlatform(trimPlatform(platform)))}`;

  async function lookUp({ reference, platform, origin }: PinnedImage, signal: AbortSignal): Promise<ResolvedImage> {
    if (!platform) throw new TypeError(`the source ${reference} has no platform`);
    const key = keyOf(reference, platform);
    // of one digest any origin will do
    const known = pinned.get(key);
    if (known) return known;
    const image = await find(parseReference(reference), {
      platform: trimPlatform(platform),
      pull: false,
      signal,
      ...(origin && { origin }),
    });
    pinned.set(key, image);
    return image;
  }

  return {
    async resolve(given, resolve) {
      const reference = withDefaultTag(given);
      const image = await find(reference, resolve);
      const { osVersion: _, ...platform } = { variant: "", ...resolve.platform };
      pinned.set(keyOf(`${formatReference(reference).split("@")[0]}@${image.digest}`, platform), image);
      return image;
    },
    async chainOf(image, { signal }) {
      const { config } = await lookUp(image, signal);
      return chainId(config.rootfs.diff_ids) ?? "";
    },
    unpack: async (image, use) => unpacker.unpack(await lookUp(image, use.signal), use),
    stackOf: async (image, use) => unpacker.stackOf(await lookUp(image, use.signal), use),
    bring: (ids, use) => unpacker.bring(ids, use),
    fetchLayer: (digest, use) => unpacker.fetchLayer(digest, use),
    unpackRecord(record, config, use) {
      const reference = parseReference(record.names[0] ?? "image");
      const { manifest, layers } = record;
      return unpacker.unpack({ reference, config, manifest, layers, origin: options.registry }, use);
    },
    unpackLayers: (layers, use) => unpacker.unpack(layers, use),
    download: (image, use) => unpacker.download(image, use),
  };
}

function trimPlatform({ os, architecture, variant }: OpPlatformLike): Platform {
  return variant === "" ? { os, architecture } : { os, architecture, variant };
}
