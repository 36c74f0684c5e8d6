import { VarveError } from "../errors/index.ts";
import { collectBytes, verifyDigest } from "../flow/index.ts";
import {
  isIndex,
  mediaTypes,
  parseManifest,
  parseReference,
  sha256,
  withDefaultTag,
  type Descriptor,
  type Digest,
} from "../oci/index.ts";
import { pushImage, type RegistryClient } from "../registry/index.ts";
import { readRemote, repositoryOf } from "./read-remote.ts";
import type { Artifact, RemoteOptions } from "./remote-image-types.ts";

/** What a small artifact may hold in all (bytes). */
const maxArtifactBytes = 16 * 1024 * 1024;
const maxArtifactBlobs = 1000;

/** Reads a manifest with all its layers into memory. Fails with ARTIFACT_TOO_LARGE. */
export async function readArtifact(name: string, registry: RegistryClient, { signal }: RemoteOptions): Promise<Artifact> {
  const document = await readRemote(name, registry, signal);
  if (isIndex(document.descriptor.mediaType)) return { ...document, blobs: new Map() };
  const manifest = parseManifest(document.bytes);
  const { layers } = manifest;
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  if (layers.length > maxArtifactBlobs || total > maxArtifactBytes)
    throw new VarveError("ARTIFACT_TOO_LARGE", `${document.name} holds ${layers.length} files of ${total} bytes in all`, {
      hint: `an artifact may hold ${maxArtifactBlobs} files and ${maxArtifactBytes} bytes`,
    });
  const repository = repositoryOf(parseReference(name));
  const blobs = new Map<Digest, Uint8Array>();
  for (const layer of layers) {
    if (blobs.has(layer.digest)) continue;
    const blob = verifyDigest(layer.digest, layer.size)(registry.fetchBlob(repository, layer, { signal }));
    blobs.set(layer.digest, await collectBytes(blob, { maxBytes: maxArtifactBytes }));
  }
  return { ...document, manifest, blobs };
}

/** Sends blobs, and then the manifest that names them. */
export async function pushArtifact(
  name: string,
  { manifest, blobs }: { readonly manifest: Uint8Array; readonly blobs: readonly Uint8Array[] },
  registry: RegistryClient,
  { signal }: RemoteOptions,
): Promise<Descriptor> {
  const target = withDefaultTag(parseReference(name));
  const tree = {
    mediaType: mediaTypes.ociManifest,
    bytes: manifest,
    blobs: blobs.map((bytes) => ({
      digest: sha256(bytes),
      size: bytes.length,
      async *open() {
        yield await Promise.resolve(bytes);
      },
    })),
  };
  return await pushImage(registry, target, tree, signal === undefined ? {} : { signal });
}
