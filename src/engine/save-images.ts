import { VarveError } from "../errors/index.ts";
import { writeArchive, type ArchiveImage, type ArchiveIndex } from "../exporters/index.ts";
import type { ImageRecord } from "../images/index.ts";
import {
  familiarReference,
  formatPlatform,
  formatReference,
  hostPlatform,
  isReference,
  parseImageConfig,
  parseIndex,
  parsePlatform,
  parseReference,
  platformOfSpec,
  withDefaultTag,
  type Digest,
} from "../oci/index.ts";
import { readMembers, type ImageMember } from "./image-members.ts";
import type { ByteSink } from "./output-types.ts";
import type { Parts } from "./parts.ts";

/** A document; a larger one is none (bytes). */
const maxDocumentBytes = 8 * 1024 * 1024;

interface SaveRequest {
  readonly platforms: readonly string[];
  readonly signal: AbortSignal;
  readonly find: (name: string) => ImageRecord;
  /** An image of one platform, with all its blobs in the content store. */
  readonly archive: (record: ImageRecord, names: readonly string[], signal: AbortSignal) => Promise<ArchiveImage>;
}

/**
 * `docker save`: each image once, with all the names that it was asked for by. What a name with several platforms stands for goes whole,
 * as the index that it is; of those that `platforms` names one goes alone, several go with the index.
 */
export async function saveImages(
  names: readonly string[],
  sink: ByteSink,
  parts: Parts,
  { platforms, signal, find, archive }: SaveRequest,
): Promise<void> {
  const host = hostPlatform(process.arch);
  const wanted = platforms.map((text) => formatPlatform(parsePlatform(text, { host })));
  const plain = new Map<Digest, { readonly record: ImageRecord; readonly tags: string[] }>();
  const indexes = new Map<Digest, { readonly name: string; readonly members: readonly ImageMember[]; readonly tags: string[] }>();
  for (const name of names) {
    const record = find(name);
    const tag = isReference(name) ? formatReference(withDefaultTag(parseReference(name))) : undefined;
    const own = tag !== undefined && record.names.includes(tag) ? tag : undefined;
    const digest = own === undefined ? undefined : parts.images.indexOf(own)?.digest;
    const members = digest === undefined ? undefined : await readMembers(digest, parts, { signal });
    if (digest !== undefined && own !== undefined && members !== undefined) {
      const entry = indexes.get(digest) ?? { name: own, members: choose(members, wanted, own), tags: [] };
      entry.tags.push(own);
      indexes.set(digest, entry);
      continue;
    }
    await requirePlatforms(record, wanted, own ?? name, parts);
    const entry = plain.get(record.id) ?? { record, tags: [] };
    if (own !== undefined) entry.tags.push(own);
    plain.set(record.id, entry);
  }
  const archived: (ArchiveImage | ArchiveIndex)[] = [];
  for (const { record, tags } of plain.values()) archived.push(await archive(record, tags, signal));
  for (const [digest, { name, members, tags }] of indexes) {
    for (const member of members) await requireBlobs(name, member, parts, signal);
    const [only] = members;
    if (wanted.length === 1 && only !== undefined) archived.push({ ...only, names: tags });
    else archived.push(await indexOf(digest, members, tags, parts));
  }
  await writeArchive("docker", archived, sink, { content: parts.content, signal, platform: formatPlatform(host) });
}

async function indexOf(
  digest: Digest,
  members: readonly ImageMember[],
  names: readonly string[],
  { content }: Parts,
): Promise<ArchiveIndex> {
  const bytes = await content.readAll(digest, { maxBytes: maxDocumentBytes });
  const index = parseIndex(bytes);
  const mediaType = index.mediaType ?? "application/vnd.oci.image.index.v1+json";
  return { index, images: members, descriptor: { mediaType, digest, size: bytes.length }, names };
}

function choose(members: readonly ImageMember[], wanted: readonly string[], name: string): readonly ImageMember[] {
  const missing = wanted.find((platform) => !members.some((member) => member.platform === platform));
  if (missing !== undefined) throw withoutPlatform(name, missing);
  return wanted.length === 0 ? members : members.filter(({ platform }) => wanted.includes(platform));
}

async function requirePlatforms({ id }: ImageRecord, wanted: readonly string[], name: string, { content }: Parts): Promise<void> {
  if (wanted.length === 0) return;
  const config = parseImageConfig(await content.readAll(id, { maxBytes: maxDocumentBytes }));
  const platform = formatPlatform(platformOfSpec(config));
  const missing = wanted.find((each) => each !== platform);
  if (missing !== undefined) throw withoutPlatform(name, missing);
}

/** Layers that were left in a registry are fetched. */
async function requireBlobs(
  name: string,
  { manifest }: ImageMember,
  { content, imageSource }: Parts,
  signal: AbortSignal,
): Promise<void> {
  for (const { digest, urls } of manifest.layers) {
    await imageSource.fetchLayer(digest, { signal });
    if (urls !== undefined || (await content.has(digest))) continue;
    throw new VarveError(
      "IMAGE_INCOMPLETE",
      `what ${familiarReference(parseReference(name))} was built as is not whole in the store`,
      {
        hint: "build it again",
      },
    );
  }
}

function withoutPlatform(name: string, platform: string): VarveError {
  const shown = isReference(name) ? familiarReference(withDefaultTag(parseReference(name))) : name;
  return new VarveError(
    "IMAGE_NO_PLATFORM",
    `no suitable export target found: image with reference ${shown} was found but does not provide the specified platform (${platform})`,
  );
}
