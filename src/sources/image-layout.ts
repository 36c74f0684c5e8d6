import { createReadStream } from "node:fs";
import { constants, open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import { isDigest, isIndex, isManifest, mediaTypes, parseIndex, sha256, type Digest, type Index } from "../oci/index.ts";
import { maxDocumentBytes, type ImageOrigin } from "./image-types.ts";

/**
 * A folder with an OCI image layout as the origin of images (OCI image-spec 1.1, image-layout.md). Names of images mean
 * nothing in it: everything is asked for by its digest, and who takes the bytes verifies them. Fails with LAYOUT_INVALID.
 */
export function openImageLayout(path: string): ImageOrigin {
  return {
    async resolve({ digest }) {
      if (digest === undefined) throw new TypeError("an image of a layout is known by its digest");
      const bytes = await readDocument(path, digest);
      return { descriptor: { mediaType: mediaTypeOf(bytes, digest), digest, size: bytes.length }, bytes };
    },
    async fetchManifest(_reference, target) {
      const digest = typeof target === "string" ? target : target.digest;
      const bytes = await readDocument(path, digest);
      return { mediaType: mediaTypeOf(bytes, digest), bytes };
    },
    fetchBlob: (_reference, { digest }) => readBlob(path, digest),
  };
}

/**
 * The digest of the image that a tag of a layout's `index.json` names; a layout with one image gives that one, whatever
 * its tag, as in buildx. Fails with LAYOUT_INVALID, LAYOUT_NO_IMAGE.
 */
export async function findInLayout(path: string, tag: string): Promise<Digest> {
  const { manifests } = await readIndex(path);
  const named = manifests.find(({ annotations = {} }) => annotations["org.opencontainers.image.ref.name"] === tag);
  const found = named ?? (manifests.length === 1 ? manifests[0] : undefined);
  if (found !== undefined) return found.digest;
  const tags = manifests
    .map(({ annotations = {} }) => annotations["org.opencontainers.image.ref.name"])
    .filter((name) => name !== undefined);
  const options = tags.length === 0 ? {} : { hint: `there are ${tags.join(", ")}` };
  throw new VarveError("LAYOUT_NO_IMAGE", `the image layout ${path} has no image with the tag ${tag}`, options);
}

async function readIndex(path: string): Promise<Index> {
  try {
    return parseIndex(await readWhole(join(path, "index.json")));
  } catch (cause) {
    throw new VarveError("LAYOUT_INVALID", `${path} is no OCI image layout: its index.json cannot be read`, { cause });
  }
}

async function readDocument(path: string, digest: Digest): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readWhole(blobPath(path, digest));
  } catch (cause) {
    throw missing(path, digest, cause);
  }
  if (sha256(bytes) !== digest)
    throw new VarveError("LAYOUT_INVALID", `the blob ${digest} of the image layout ${path} has other content`);
  return bytes;
}

async function* readBlob(path: string, digest: Digest): AsyncGenerator<Uint8Array, void, undefined> {
  let handle: FileHandle;
  try {
    handle = await openFile(blobPath(path, digest));
  } catch (cause) {
    throw missing(path, digest, cause);
  }
  yield* createReadStream("", { fd: handle, highWaterMark: chunkBytes }) as AsyncIterable<Buffer>;
}

const chunkBytes = 1 << 18;

async function readWhole(file: string): Promise<Uint8Array> {
  await using handle = await openFile(file);
  const { size } = await handle.stat();
  if (size > maxDocumentBytes) throw new VarveError("LAYOUT_INVALID", `${file} is larger than a document of an image may be`);
  return await handle.readFile();
}

/** A pipe or a device in a layout must not hold the build up. */
async function openFile(file: string): Promise<FileHandle> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new VarveError("LAYOUT_INVALID", `${file} is not a file`);
}

function blobPath(path: string, digest: Digest): string {
  if (!isDigest(digest)) throw new TypeError("a digest has its shape");
  return join(path, "blobs", ...digest.split(":"));
}

function missing(path: string, digest: Digest, cause: unknown): VarveError {
  return new VarveError("LAYOUT_INVALID", `the image layout ${path} has no blob ${digest}`, { cause });
}

/** A manifest or index may leave out its own media type: then its members tell. */
function mediaTypeOf(bytes: Uint8Array, digest: Digest): string {
  const document = readObject(bytes);
  const { mediaType } = document;
  if (typeof mediaType === "string" && (isIndex(mediaType) || isManifest(mediaType))) return mediaType;
  if (mediaType === undefined && "manifests" in document) return mediaTypes.ociIndex;
  if (mediaType === undefined && "layers" in document) return mediaTypes.ociManifest;
  throw new VarveError("LAYOUT_INVALID", `the blob ${digest} is neither a manifest nor an index`);
}

function readObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
