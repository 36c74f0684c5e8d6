import type { ImageReference } from "../oci/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { CacheTarget } from "./export-cache.ts";

/** A tag of a repository. Blobs that it has are not sent; those of another repository of the registry are mounted from there. */
export function createRegistryTarget(
  client: Pick<RegistryClient, "pushBlob" | "pushManifest">,
  reference: ImageReference,
): CacheTarget {
  return {
    async putBlob(blob, open, { signal, from }) {
      const isNear = from !== undefined && from.domain === reference.domain && from.path !== reference.path;
      await client.pushBlob(reference, blob, open, { signal, ...(isNear ? { mountFrom: from.path } : {}) });
    },
    putManifest: (mediaType, bytes, { signal }) => client.pushManifest(reference, mediaType, bytes, { signal }),
  };
}
