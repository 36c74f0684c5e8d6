import { VarveError } from "../errors/index.ts";
import { annotationsAt, type Annotation } from "../exporters/index.ts";
import {
  canonicalName,
  isIndex,
  isManifest,
  matchPlatform,
  mediaTypes,
  parseIndex,
  parsePlatform,
  parseReference,
  platformOfSpec,
  platformToSpec,
  serializeIndex,
  sha256,
  type Descriptor,
  type Digest,
  type ImageReference,
} from "../oci/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import { nativePlatform } from "./build-platforms.ts";
import type { JoinedImage, JoinRequest, JoinSource } from "./remote-image-types.ts";
import { readRemote, readRemoteConfig, repositoryOf } from "./read-remote.ts";

interface Found {
  readonly repository: ImageReference;
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/**
 * Puts an index together as `buildx imagetools create` does: indexes give what they name, manifests get the platform of their
 * config, each digest is named once (B49). A single index, and with `preferIndex: false` a single manifest, stays as it is when
 * nothing is added to it.
 */
export async function joinImages(request: JoinRequest, registry: RegistryClient): Promise<JoinedImage> {
  const { tags = [], append = false, annotations = [], preferIndex = true, platforms = [], signal } = request;
  if (request.sources.length === 0) throw new VarveError("USAGE", "no sources specified");
  const repositories = [...new Set(tags.map((tag) => canonicalName(parseReference(tag))))];
  const [repository] = repositories;
  if (append && (repository === undefined || repositories.length > 1 || tags.length > 1))
    throw new VarveError(
      "USAGE",
      tags.length === 0 ? "can't append with no reference set" : "can't append to multiple references",
    );
  const sources = [...(append ? tags.map((name): JoinSource => ({ name })) : []), ...request.sources];
  const found: Found[] = [];
  for (const source of sources) found.push(await findSource(source, repository, registry, signal));

  const [only] = found;
  const isPlain = annotations.length === 0 && platforms.length === 0;
  if (only !== undefined && found.length === 1 && isPlain && (isIndex(only.descriptor.mediaType) || !preferIndex))
    return { descriptor: plainDescriptor(only.descriptor), bytes: only.bytes, places: placesOf(only) };

  const manifests = new Map<Digest, Descriptor>();
  const places = new Map<string, string>();
  for (const source of found) {
    for (const descriptor of await manifestsOf(source, registry, signal)) {
      const before = manifests.get(descriptor.digest);
      const merged = { ...before?.annotations, ...descriptor.annotations };
      manifests.set(descriptor.digest, {
        ...before,
        ...descriptor,
        ...(Object.keys(merged).length === 0 ? {} : { annotations: merged }),
      });
      places.set(descriptor.digest, canonicalName(source.repository));
    }
  }
  const chosen = choosePlatforms([...manifests.values()], platforms);
  const isDocker = chosen.every((each) => each.mediaType === mediaTypes.dockerManifest);
  // Docker's lists have no annotations of their own.
  const isNoted = annotations.some(({ place }) => place === "index");
  const mediaType = isDocker && !isNoted ? mediaTypes.dockerList : mediaTypes.ociIndex;
  return { ...serialize(chosen, mediaType, annotations), places };
}

/** An index of manifests, with its descriptor. */
function serialize(
  manifests: readonly Descriptor[],
  mediaType: string,
  annotations: readonly Annotation[] = [],
): { readonly descriptor: Descriptor; readonly bytes: Uint8Array } {
  const wrong = annotations.find(({ place }) => place === "manifest" || place === "index-descriptor");
  if (wrong !== undefined)
    throw new VarveError("USAGE", `${wrong.place} annotations are not supported yet: the manifests stay as they are`, {
      hint: "there are index and manifest-descriptor",
    });
  const own = annotationsAt(annotations, "index");
  const bytes = serializeIndex({
    schemaVersion: 2,
    mediaType,
    manifests: manifests.map((descriptor) => {
      const platform = descriptor.platform === undefined ? undefined : platformOfSpec(descriptor.platform);
      const added = annotationsAt(annotations, "manifest-descriptor", platform);
      return added === undefined ? descriptor : { ...descriptor, annotations: { ...descriptor.annotations, ...added } };
    }),
    ...(own === undefined ? {} : { annotations: own }),
  });
  return { descriptor: { mediaType, digest: sha256(bytes), size: bytes.length }, bytes };
}

async function findSource(
  source: JoinSource,
  repository: string | undefined,
  registry: RegistryClient,
  signal: AbortSignal | undefined,
): Promise<Found> {
  if ("name" in source) {
    const { descriptor, bytes } = await readRemote(source.name, registry, signal);
    return { repository: repositoryOf(parseReference(source.name)), descriptor, bytes };
  }
  const { digest } = source.descriptor;
  if (repository === undefined)
    throw new VarveError("USAGE", `${digest} has no repository: name exactly one with --tag, or write NAME@${digest}`);
  const place = parseReference(repository);
  const { mediaType, bytes } = await registry.fetchManifest(place, digest, { signal });
  return { repository: place, descriptor: { ...source.descriptor, mediaType, digest, size: bytes.length }, bytes };
}

/** The manifests that a source gives, each with its platform. */
async function manifestsOf(
  { repository, descriptor, bytes }: Found,
  registry: RegistryClient,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[]> {
  if (isIndex(descriptor.mediaType)) return parseIndex(bytes).manifests;
  if (!isManifest(descriptor.mediaType))
    throw new VarveError("USAGE", `invalid media type ${descriptor.mediaType} for image tools: neither a manifest nor an index`);
  if (descriptor.platform !== undefined) return [descriptor];
  const config = await readRemoteConfig(bytes, repository, registry, signal);
  return [config === undefined ? descriptor : { ...descriptor, platform: platformToSpec(platformOfSpec(config)) }];
}

/** Those of the platforms, and what refers to them (attestations). */
function choosePlatforms(manifests: readonly Descriptor[], platforms: readonly string[]): readonly Descriptor[] {
  if (platforms.length === 0) return manifests;
  const host = nativePlatform();
  const wanted = platforms.map((text) => parsePlatform(text, { host }));
  const chosen = new Set<string>();
  for (const platform of wanted) {
    const index = matchPlatform(
      platform,
      manifests.map((each) => each.platform),
    );
    const digest = index === undefined ? undefined : manifests[index]?.digest;
    if (digest === undefined)
      throw new VarveError("IMAGE_NO_PLATFORM", `no source has the platform ${platforms[wanted.indexOf(platform)] ?? ""}`);
    chosen.add(digest);
  }
  return manifests.filter(
    ({ digest, annotations }) => chosen.has(digest) || chosen.has(annotations?.["vnd.docker.reference.digest"] ?? ""),
  );
}

function plainDescriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

function placesOf({ repository, descriptor, bytes }: Found): ReadonlyMap<string, string> {
  const place = canonicalName(repository);
  const below = isIndex(descriptor.mediaType) ? parseIndex(bytes).manifests : [];
  return new Map([descriptor, ...below].map(({ digest }) => [digest, place]));
}
