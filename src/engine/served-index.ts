import { isVarveError, VarveError } from "../errors/index.ts";
import { formatReference, isManifest, parseIndex, parseManifest, type Digest, type ImageReference } from "../oci/index.ts";
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

/** What is sent of a name that stands for an index: the index with the images of all platforms, as they were built. */
export async function findServedIndex(
  reference: ImageReference,
  parts: Pick<Parts, "content" | "images">,
  signal: AbortSignal,
): Promise<ServedIndex | undefined> {
  const index = parts.images.indexOf(formatReference(reference));
  if (index === undefined) return undefined;
  const read = (digest: Digest) => parts.content.readAll(digest, { maxBytes: maxDocumentBytes, signal });
  try {
    const bytes = await read(index.digest);
    const document = parseIndex(bytes);
    const manifests: ServedManifest[] = [];
    for (const { digest, mediaType } of document.manifests.filter((member) => isManifest(member.mediaType))) {
      const inner = await read(digest);
      manifests.push({ manifest: parseManifest(inner), mediaType, bytes: inner });
    }
    return { mediaType: document.mediaType ?? "application/vnd.oci.image.index.v1+json", bytes, manifests };
  } catch (cause) {
    if (!isVarveError(cause) || cause.code !== "CONTENT_NOT_FOUND") throw cause;
    throw new VarveError("IMAGE_INCOMPLETE", `the index of ${formatReference(reference)} is not whole in the store`, {
      cause,
      hint: "build it again with --push",
    });
  }
}
