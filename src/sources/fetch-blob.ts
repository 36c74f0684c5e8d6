import type { ContentStore } from "../content/index.ts";
import { isVarveError, VarveError } from "../errors/index.ts";
import { familiarReference, type Descriptor, type ImageReference } from "../oci/index.ts";
import type { ImageOrigin } from "./image-types.ts";

const wrongContent: ReadonlySet<string> = new Set(["CONTENT_DIGEST_MISMATCH", "CONTENT_SIZE_MISMATCH"]);

export interface FetchBlobOptions {
  readonly content: Pick<ContentStore, "ingest">;
  readonly signal: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
}

/**
 * Brings a blob of an image into the content store, verified. A mirror that gave other bytes than promised is passed over: the
 * others, and the registry itself, may have the right ones. Who gave the wrong ones is in the message.
 */
export async function fetchBlob(
  { origin, reference }: { readonly origin: ImageOrigin; readonly reference: ImageReference },
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  { content, signal, onProgress }: FetchBlobOptions,
): Promise<void> {
  for (;;) {
    try {
      const bytes = origin.fetchBlob(reference, { digest, size }, { signal });
      await content.ingest(bytes, { expected: { digest, size }, signal, ...(onProgress && { onProgress }) });
      return;
    } catch (error) {
      if (!isVarveError(error) || !wrongContent.has(error.code)) throw error;
      if (origin.rejectBlob?.(reference, digest) === true) continue;
      const message = `what came as a part of ${familiarReference(reference)} is not what its manifest says: ${error.message}`;
      throw new VarveError(error.code, message, {
        cause: error,
        details: error.details,
        hint: `the registry ${reference.domain}, or something on the way to it, gives wrong bytes`,
      });
    }
  }
}
