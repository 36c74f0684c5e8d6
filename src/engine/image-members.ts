import {
  formatPlatform,
  isManifest,
  listsManifests,
  parseIndex,
  parseManifest,
  platformOfSpec,
  type Descriptor,
  type Digest,
  type Manifest,
} from "../oci/index.ts";
import type { Parts } from "./parts.ts";

/** A manifest or an index is a document; a larger one is none (bytes). */
const maxDocumentBytes = 4 * 1024 * 1024;

/** One image of an index, as it is in the store. */
export interface ImageMember {
  /** Of the config. */
  readonly id: Digest;
  /** As `formatPlatform` writes it. */
  readonly platform: string;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

/**
 * The images that an index of the store names, in its order; undefined where the digest is not that of an index. Fails with
 * CONTENT_NOT_FOUND where a document of it is not here.
 */
export async function readMembers(
  digest: Digest,
  { content }: Pick<Parts, "content">,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly ImageMember[] | undefined> {
  const read = (wanted: Digest) => content.readAll(wanted, { maxBytes: maxDocumentBytes, ...(signal && { signal }) });
  const document = await read(digest);
  if (!listsManifests(document)) return undefined;
  const members: ImageMember[] = [];
  for (const descriptor of parseIndex(document).manifests) {
    const { platform, mediaType } = descriptor;
    // attestations are for no platform
    if (platform === undefined || platform.os === "unknown" || !isManifest(mediaType)) continue;
    const manifest = parseManifest(await read(descriptor.digest));
    members.push({ id: manifest.config.digest, platform: formatPlatform(platformOfSpec(platform)), descriptor, manifest });
  }
  return members;
}
