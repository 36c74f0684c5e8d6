import { mediaTypes, serializeManifest, type Descriptor, type Digest, type Manifest } from "../oci/index.ts";
import type { ExportedImage } from "./export-image.ts";
import { blobLayers, type Compression, type PackTools } from "./pack-layers.ts";

export interface PackOptions extends PackTools {
  readonly compression: Compression;
  /** Docker's media types instead of OCI's. */
  readonly dockerTypes: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (diffId: Digest, bytes: number, total: number) => void;
}

export interface PackedImage {
  readonly manifest: Manifest;
  readonly descriptor: Descriptor;
}

/** Makes what transport needs: layer blobs and a manifest, all in the content store. */
export async function packImage({ id, layers, stack }: ExportedImage, options: PackOptions): Promise<PackedImage> {
  const { content, signal, dockerTypes } = options;
  const blobs = await blobLayers(stack, layers, options.compression, options, options);
  const config = await content.stat(id);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: dockerTypes ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
    config: { mediaType: dockerTypes ? mediaTypes.dockerConfig : mediaTypes.ociConfig, digest: id, size: config?.size ?? 0 },
    layers: blobs.map((blob) => ({ ...blob, mediaType: typeFor(blob.mediaType, dockerTypes) })),
  };
  const { digest, size } = await content.writeBytes(serializeManifest(manifest), { signal });
  return { manifest, descriptor: { mediaType: manifest.mediaType ?? mediaTypes.ociManifest, digest, size } };
}

/** The same layer under the other family's name. Zstandard has no name in Docker's family but is understood under OCI's. */
function typeFor(mediaType: string, docker: boolean): string {
  const [oci, dockers] = docker ? [0, 1] : [1, 0];
  const pairs: readonly (readonly [string, string])[] = [
    [mediaTypes.ociLayerGzip, mediaTypes.dockerLayerGzip],
    [mediaTypes.ociLayer, mediaTypes.dockerLayer],
  ];
  return pairs.find((pair) => pair[oci] === mediaType)?.[dockers] ?? mediaType;
}
