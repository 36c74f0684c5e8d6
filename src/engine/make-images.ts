import {
  checkAnnotations,
  exportImage,
  normalizeAnnotation,
  packImage,
  packIndex,
  type ExportedImage,
  type PackedImage,
  type PackedIndex,
  type Packing,
  type PlatformResult,
} from "../exporters/index.ts";
import type { Descriptor } from "../oci/index.ts";
import type { ReportStatus } from "./internal-step.ts";
import type { ImageSettings } from "./output-types.ts";
import type { Parts } from "./parts.ts";

/** An image of one platform, or an index over those of several. */
export type MadeImage = PackedImage | PackedIndex;

/** Makes images of a build's results, once for outputs that want the same. */
export interface ImageMaker {
  /** Whether there is an index over the images. */
  readonly isIndex: boolean;
  /** One for each platform, without blobs where they are not asked for. */
  identify(settings: ImageSettings): Promise<readonly ExportedImage[]>;
  /** With all blobs and documents in the content store; with `leaveAway` without those of layers that a registry keeps for it. */
  pack(settings: ImageSettings, status: ReportStatus, how?: { readonly leaveAway?: boolean }): Promise<MadeImage>;
}

export interface ImageMakerOptions {
  readonly parts: Parts;
  /** An index even over one platform. */
  readonly multiPlatform: boolean;
  /** How layers whose digest is not known yet are packed on the way; absent where no output wants blobs. */
  readonly packing: Packing | undefined;
  readonly signal: AbortSignal;
}

export function createImageMaker(results: readonly PlatformResult[], options: ImageMakerOptions): ImageMaker {
  const { parts, multiPlatform, packing, signal } = options;
  const isIndex = multiPlatform || results.length > 1;
  const identified = new Map<string, Promise<readonly ExportedImage[]>>();

  /** One after the other: what platforms share is read once. */
  const identifyAll = async (settings: ImageSettings): Promise<readonly ExportedImage[]> => {
    const rewriteTimestamp = settings.rewriteTimestamp === true;
    const images: ExportedImage[] = [];
    for (const result of results) {
      const epochSeconds = epochOf(result, settings);
      const image = await exportImage({
        ...parts,
        stack: result.stack,
        config: result.config,
        packing: rewriteTimestamp ? packingOf(settings) : packing,
        rewriteTimestamp,
        signal,
        ...(epochSeconds === undefined ? {} : { epochSeconds }),
      });
      images.push(image);
    }
    return images;
  };
  const identify = (settings: ImageSettings): Promise<readonly ExportedImage[]> => {
    const rewriteTimestamp = settings.rewriteTimestamp === true;
    const key = JSON.stringify([rewriteTimestamp, settings.sourceDateEpoch, rewriteTimestamp ? packingOf(settings) : null]);
    const known = identified.get(key);
    if (known !== undefined) return known;
    const making = identifyAll(settings);
    identified.set(key, making);
    return making;
  };

  return {
    isIndex,
    identify,
    async pack(settings, status, { leaveAway = false } = {}) {
      const { ociMediaTypes: ociTypes = true, preferNondistLayers } = settings;
      const annotations = (settings.annotations ?? []).map(normalizeAnnotation);
      checkAnnotations(annotations, { platforms: results.map(({ platform }) => platform), index: isIndex, ociTypes });
      const images = await identify(settings);
      const dockerTypes = !ociTypes;
      const packed: PackedImage[] = [];
      for (const [at, image] of images.entries()) {
        const made = await packImage(image, {
          ...parts,
          ...packingOf(settings),
          dockerTypes,
          preferNondistLayers,
          annotations,
          leaveAway,
          platform: results[at]?.platform,
          signal,
          onProgress: (diffId, bytes, total) => status(`exporting layer ${diffId}`, bytes, total, bytes === total),
        });
        packed.push(made);
        status(`exporting manifest ${made.descriptor.digest}`, 0, 0, true);
        status(`exporting config ${image.id}`, 0, 0, true);
      }
      status("exporting layers", 0, 0, true);
      const [only] = packed;
      if (!isIndex && only !== undefined) return only;
      const made = await packIndex(packed, { content: parts.content, signal, dockerTypes, annotations });
      status(`exporting manifest list ${made.descriptor.digest}`, 0, 0, true);
      return made;
    },
  };
}

/** How an output wants its layers. */
export function packingOf({ compression = "gzip", compressionLevel, forceCompression }: ImageSettings): Packing {
  return {
    compression,
    ...(compressionLevel === undefined ? {} : { level: compressionLevel }),
    ...(forceCompression === undefined ? {} : { force: forceCompression }),
  };
}

/** The source date epoch that counts for an output: its own, else the build's. */
export function epochOf(
  { epochSeconds }: PlatformResult,
  { sourceDateEpoch }: { readonly sourceDateEpoch?: number | null },
): number | undefined {
  return sourceDateEpoch === undefined ? epochSeconds : (sourceDateEpoch ?? undefined);
}

/**
 * The descriptor as an archive's index and the metadata carry it: with the source date epoch as the time of creation. Without one
 * there is none, so that the same input gives the same bytes.
 */
export function datedDescriptor(descriptor: Descriptor, epochSeconds: number | undefined): Descriptor {
  const key = "org.opencontainers.image.created";
  if (epochSeconds === undefined || descriptor.annotations?.[key] !== undefined) return descriptor;
  const created = new Date(epochSeconds * 1000).toISOString().replace(".000Z", "Z");
  return { ...descriptor, annotations: { ...descriptor.annotations, [key]: created } };
}
