import { isVarveError, VarveError } from "../errors/index.ts";
import {
  formatReference,
  isManifest,
  listsManifests,
  mediaTypes,
  parseIndex,
  parseManifest,
  type Digest,
  type ImageReference,
} from "../oci/index.ts";
import type { Parts } from "./parts.ts";
import type { ServedManifest } from "./served-manifest.ts";

/** An index and its manifests with their own bytes. */
export interface ServedIndex {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly manifests: readonly ServedManifest[];
}

/** As registries and this client limit it (bytes). */
const maxDocumentBytes = 4 * 1024 * 1024;

/** What a name is sent as where a build said so: an index with the images of all platforms, or a manifest, as they were built. */
export async function findServedDocument(
  reference: ImageReference,
  parts: Pick<Parts, "content" | "images">,
  signal: AbortSignal,
): Promise<ServedIndex | ServedManifest | undefined> {
  const index = parts.images.indexOf(formatReference(reference));
  if (index === undefined) return undefined;
  const read = (digest: Digest) => parts.content.readAll(digest, { maxBytes: maxDocumentBytes, signal });
  try {
    const bytes = await read(index.digest);
    if (!listsManifests(bytes)) {
      const manifest = parseManifest(bytes);
      return { manifest, mediaType: manifest.mediaType ?? mediaTypes.ociManifest, bytes };
    }
    const document = parseIndex(bytes);
    const manifests: ServedManifest[] = [];
    for (const { digest, mediaType } of document.manifests.filter((member) => isManifest(member.mediaType))) {
      const inner = await read(digest);
      manifests.push({ manifest: parseManifest(inner), mediaType, bytes: inner });
    }
    return { mediaType: document.mediaType ?? mediaTypes.ociIndex, bytes, manifests };
  } catch (cause) {
    if (!isVarveError(cause) || cause.code !== "CONTENT_NOT_FOUND") throw cause;
    throw new VarveError("IMAGE_INCOMPLETE", `what ${formatReference(reference)} was built as is not whole in the store`, {
      cause,
      hint: "build it again with --push",
    });
  }
}
