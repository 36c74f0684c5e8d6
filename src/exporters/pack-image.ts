import {
  mediaTypes,
  platformToSpec,
  serializeIndex,
  serializeManifest,
  type Descriptor,
  type Digest,
  type Index,
  type Manifest,
  type Platform,
} from "../oci/index.ts";
import { annotationsAt, type Annotation } from "./annotations.ts";
import type { ExportedImage } from "./export-image.ts";
import { blobLayers, type Packing, type PackTools } from "./pack-layers.ts";

export interface PackOptions extends PackTools, Packing {
  /** Docker's media types instead of OCI's. */
  readonly dockerTypes: boolean;
  /** Layers that came with a media type which forbids to distribute them keep it. Default: they get a common one. */
  readonly preferNondistLayers?: boolean | undefined;
  /** Those of the manifest and of its descriptor are used. */
  readonly annotations?: readonly Annotation[] | undefined;
  /** Blobs of the base that a registry keeps are named, not fetched. */
  readonly leaveAway?: boolean | undefined;
  /** What was built, for the descriptor; also whose annotations count. */
  readonly platform?: Platform | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (diffId: Digest, bytes: number, total: number) => void;
}

export interface PackedImage {
  readonly manifest: Manifest;
  readonly descriptor: Descriptor;
}

export interface PackedIndex {
  readonly index: Index;
  readonly descriptor: Descriptor;
  /** In the order of the index. */
  readonly images: readonly PackedImage[];
}

/** Makes what transport needs: layer blobs and a manifest, all in the content store. */
export async function packImage({ id, layers, stack }: ExportedImage, options: PackOptions): Promise<PackedImage> {
  const { content, signal, dockerTypes, preferNondistLayers = false, annotations = [], platform } = options;
  const blobs = await blobLayers(stack, layers, options.compression, options, options);
  const config = await content.stat(id);
  const own = annotationsAt(annotations, "manifest", platform);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: dockerTypes ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
    config: { mediaType: dockerTypes ? mediaTypes.dockerConfig : mediaTypes.ociConfig, digest: id, size: config?.size ?? 0 },
    layers: blobs.map((blob) => describeLayer(blob, { dockerTypes, preferNondistLayers })),
    ...(own === undefined ? {} : { annotations: own }),
  };
  const { digest, size } = await content.writeBytes(serializeManifest(manifest), { signal });
  const named = annotationsAt(annotations, "manifest-descriptor", platform);
  return {
    manifest,
    descriptor: {
      mediaType: manifest.mediaType ?? mediaTypes.ociManifest,
      digest,
      size,
      ...(named === undefined ? {} : { annotations: named }),
      ...(platform === undefined ? {} : { platform: platformToSpec(platform) }),
    },
  };
}

/** One document over the images of several platforms, in the content store. */
export async function packIndex(
  images: readonly PackedImage[],
  { content, signal, dockerTypes, annotations = [] }: Pick<PackOptions, "content" | "signal" | "dockerTypes" | "annotations">,
): Promise<PackedIndex> {
  const own = annotationsAt(annotations, "index");
  const mediaType = dockerTypes ? mediaTypes.dockerList : mediaTypes.ociIndex;
  const index: Index = {
    schemaVersion: 2,
    mediaType,
    manifests: images.map(({ descriptor }) => descriptor),
    ...(own === undefined ? {} : { annotations: own }),
  };
  const { digest, size } = await content.writeBytes(serializeIndex(index), { signal });
  const named = annotationsAt(annotations, "index-descriptor");
  return { index, images, descriptor: { mediaType, digest, size, ...(named === undefined ? {} : { annotations: named }) } };
}

/** Each layer's name among OCI's media types, Docker's, and the same of those that must not be distributed. */
const layerTypes = [
  [mediaTypes.ociLayerGzip, mediaTypes.dockerLayerGzip, mediaTypes.ociForeignLayerGzip, mediaTypes.dockerForeignLayerGzip],
  [mediaTypes.ociLayer, mediaTypes.dockerLayer, mediaTypes.ociForeignLayer, mediaTypes.dockerForeignLayer],
  [mediaTypes.ociLayerZstd, mediaTypes.dockerLayerZstd, mediaTypes.ociForeignLayerZstd, mediaTypes.ociForeignLayerZstd],
] as const;

/** The same layer under the family's own name. */
export function describeLayer(
  blob: Descriptor,
  { dockerTypes, preferNondistLayers }: { readonly dockerTypes: boolean; readonly preferNondistLayers: boolean },
): Descriptor {
  const row = layerTypes.find((types) => (types as readonly string[]).includes(blob.mediaType));
  if (row === undefined) return blob;
  const isForeign = row.indexOf(blob.mediaType as never) >= 2;
  const mediaType = row[(isForeign && preferNondistLayers ? 2 : 0) + (dockerTypes ? 1 : 0)] ?? blob.mediaType;
  return { ...blob, mediaType };
}
