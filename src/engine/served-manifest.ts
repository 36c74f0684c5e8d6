import { isVarveError } from "../errors/index.ts";
import type { ImageRecord } from "../images/index.ts";
import { isIndex, isManifest, mediaTypes, parseIndex, parseManifest, type Digest, type Manifest } from "../oci/index.ts";
import type { Parts } from "./parts.ts";

/** A manifest with its own bytes, and so its own digest. */
export interface ServedManifest {
  readonly manifest: Manifest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** As registries and this client limit it (bytes). */
const maxDocumentBytes = 4 * 1024 * 1024;

/**
 * The document that an image came with, byte for byte, where the store has it and all its layers, or knows where they are: what is sent on keeps its
 * digest.
 */
export async function findServedManifest(
  record: ImageRecord,
  { content, snapshots }: Pick<Parts, "content" | "snapshots">,
  { signal }: { readonly signal: AbortSignal },
): Promise<ServedManifest | undefined> {
  const read = async (digest: Digest): Promise<ServedManifest | undefined> => {
    const found = await content.stat(digest);
    if (found === undefined || found.size > maxDocumentBytes) return undefined;
    const bytes = await content.readAll(digest, { maxBytes: maxDocumentBytes, signal });
    const mediaType = typeOf(bytes);
    if (isIndex(mediaType)) {
      for (const member of parseIndex(bytes).manifests) {
        const inner = isManifest(member.mediaType) ? await read(member.digest) : undefined;
        if (inner !== undefined) return inner;
      }
      return undefined;
    }
    if (!isManifest(mediaType)) return undefined;
    const manifest = parseManifest(bytes);
    if (manifest.config.digest !== record.id) return undefined;
    const here = await Promise.all(
      manifest.layers.map(
        async ({ urls, digest }) => urls !== undefined || (await content.has(digest)) || snapshots.awayBlob(digest) !== undefined,
      ),
    );
    return here.every(Boolean) ? { manifest, mediaType, bytes } : undefined;
  };
  for (const name of record.digests) {
    try {
      const found = await read(name.slice(name.indexOf("@") + 1) as Digest);
      if (found !== undefined) return found;
    } catch (error) {
      // A damaged document is made anew.
      if (!isVarveError(error) || error.kind === "canceled") throw error;
    }
  }
  return undefined;
}

function typeOf(bytes: Uint8Array): string {
  const { mediaType, manifests } = JSON.parse(Buffer.from(bytes).toString()) as { mediaType?: unknown; manifests?: unknown };
  if (typeof mediaType === "string") return mediaType;
  return Array.isArray(manifests) ? mediaTypes.ociIndex : mediaTypes.ociManifest;
}
