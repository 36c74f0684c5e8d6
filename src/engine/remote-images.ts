import { VarveError } from "../errors/index.ts";
import {
  canonicalName,
  formatPlatform,
  formatReference,
  isIndex,
  parseIndex,
  parseManifest,
  parseReference,
  platformOfSpec,
  withDefaultTag,
  type Descriptor,
  type ImageConfig,
  type ImageReference,
} from "../oci/index.ts";
import { pushImage, type PushTree, type RegistryClient } from "../registry/index.ts";
import { pushArtifact, readArtifact } from "./artifacts.ts";
import { joinImages } from "./join-images.ts";
import { readRemote, readRemoteConfig, repositoryOf } from "./read-remote.ts";
import type { Parts } from "./parts.ts";
import type { JoinedImage, RemoteImages, RemoteOptions } from "./remote-image-types.ts";

export function createRemoteImages(needParts: () => Parts): Omit<RemoteImages, "lists"> {
  const clientFor = (name: string, { insecure = false }: RemoteOptions): RegistryClient => {
    const parts = needParts();
    return insecure ? parts.insecureRegistry(parseReference(name).domain) : parts.registry;
  };
  return {
    inspect: async (name, options = {}) => await readRemote(name, clientFor(name, options), options.signal),
    async configs(name, options = {}) {
      const registry = clientFor(name, options);
      const { bytes, manifests } = await readRemote(name, registry, options.signal);
      const repository = repositoryOf(parseReference(name));
      const configs = new Map<string, ImageConfig>();
      const add = async (document: Uint8Array, descriptor?: Descriptor): Promise<void> => {
        const config = await readRemoteConfig(document, repository, registry, options.signal);
        if (config === undefined || config.os === "" || descriptor?.platform?.os === "unknown") return;
        configs.set(formatPlatform(platformOfSpec(descriptor?.platform ?? config)), config);
      };
      if (manifests === undefined) await add(bytes);
      for (const descriptor of manifests ?? []) {
        if (isIndex(descriptor.mediaType)) continue;
        await add((await registry.fetchManifest(repository, descriptor, { signal: options.signal })).bytes, descriptor);
      }
      return configs;
    },
    readArtifact: async (name, options = {}) => await readArtifact(name, clientFor(name, options), options),
    pushArtifact: async (name, artifact, options = {}) => await pushArtifact(name, artifact, clientFor(name, options), options),
    join: async (request) => await joinImages(request, needParts().registry),
    async push(joined, tags, { onCopy, ...options } = {}) {
      for (const tag of tags) {
        const target = withDefaultTag(parseReference(tag));
        const registry = clientFor(tag, options);
        const tree = await treeFor(joined, target, registry, { ...options, onCopy });
        await pushImage(registry, target, tree, options.signal === undefined ? {} : { signal: options.signal });
      }
    },
  };
}

/** What is to be sent so that `target` has it all: what its repository has already is not read. */
async function treeFor(
  { descriptor, bytes, places }: JoinedImage,
  target: ImageReference,
  registry: RegistryClient,
  {
    signal,
    onCopy,
  }: { readonly signal?: AbortSignal; readonly onCopy?: ((digest: string, from: string, to: string) => void) | undefined },
): Promise<PushTree> {
  const own = canonicalName(target);
  const documentTree = async (document: Uint8Array, mediaType: string, source: ImageReference): Promise<PushTree> => {
    if (isIndex(mediaType)) return { mediaType, bytes: document, manifests: await children(document, source) };
    if (canonicalName(source) === own) return { mediaType, bytes: document };
    const { config, layers } = parseManifest(document);
    return {
      mediaType,
      bytes: document,
      blobs: [...layers.filter(({ urls }) => urls === undefined), config].map(({ digest, size }) => ({
        digest,
        size,
        open: () => registry.fetchBlob(source, { digest, size }, { signal }),
        ...(source.domain === target.domain ? { mountFrom: [source.path] } : {}),
      })),
    };
  };
  const children = async (document: Uint8Array, source: ImageReference): Promise<PushTree[]> => {
    const trees: PushTree[] = [];
    for (const child of parseIndex(document).manifests) {
      const place = places.get(child.digest);
      const from = place === undefined ? source : parseReference(place);
      if (canonicalName(from) === own) continue;
      onCopy?.(child.digest, canonicalName(from), formatReference(target));
      const fetched = await registry.fetchManifest(from, child, { signal });
      trees.push(await documentTree(fetched.bytes, fetched.mediaType, from));
    }
    return trees;
  };
  const place = places.get(descriptor.digest);
  if (place === undefined && !isIndex(descriptor.mediaType))
    throw new VarveError("INTERNAL", `nobody knows where ${descriptor.digest} is`);
  return await documentTree(bytes, descriptor.mediaType, place === undefined ? repositoryOf(target) : parseReference(place));
}
