import { collectBytes, verifyDigest } from "../flow/index.ts";
import {
  formatReference,
  isIndex,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parseReference,
  withDefaultTag,
  type ImageConfig,
  type ImageReference,
} from "../oci/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { RemoteDocument } from "./remote-image-types.ts";

/** A config is a document; a larger one is none (bytes). */
const maxConfigBytes = 8 * 1024 * 1024;

/** A reference without tag and digest: a repository. */
export function repositoryOf({ domain, path }: ImageReference): ImageReference {
  return { domain, path };
}

/** The registry's document of a name. */
export async function readRemote(name: string, registry: RegistryClient, signal?: AbortSignal): Promise<RemoteDocument> {
  const reference = withDefaultTag(parseReference(name));
  const resolved = await registry.resolve(reference, { signal });
  const bytes = resolved.bytes ?? (await registry.fetchManifest(reference, resolved.descriptor, { signal })).bytes;
  const { descriptor } = resolved;
  return {
    name: formatReference(reference),
    descriptor,
    bytes,
    ...(isIndex(descriptor.mediaType) ? { manifests: parseIndex(bytes).manifests } : {}),
  };
}

/** The config of the image that a manifest stands for; undefined for what is no image (an attestation, an artifact). */
export async function readRemoteConfig(
  manifest: Uint8Array,
  repository: ImageReference,
  registry: RegistryClient,
  signal?: AbortSignal,
): Promise<ImageConfig | undefined> {
  const { config } = parseManifest(manifest);
  if (!/image.*config|container\.image/.test(config.mediaType) || config.size > maxConfigBytes) return undefined;
  const blob = verifyDigest(config.digest, config.size)(registry.fetchBlob(repository, config, { signal }));
  return parseImageConfig(await collectBytes(blob, { maxBytes: maxConfigBytes }));
}
