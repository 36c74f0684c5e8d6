import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isMountLayer, readMount, shownId } from "../cache-mounts/index.ts";
import { VarveError } from "../errors/index.ts";
import type { ByteSource } from "../flow/index.ts";
import { decompress } from "../layers/index.ts";
import {
  isIndex,
  isManifest,
  parseIndex,
  parseManifest,
  parseReference,
  withDefaultTag,
  type Descriptor,
  type Digest,
} from "../oci/index.ts";
import { openImageLayout } from "../sources/index.ts";
import { readTar } from "../tar/index.ts";
import type { CacheMountOrigin } from "./cache-mount-types.ts";
import type { Parts } from "./parts.ts";

/** Layers that hold cache mounts, and how their bytes are had. */
export interface FoundMounts extends AsyncDisposable {
  readonly layers: readonly { readonly id: string; readonly descriptor: Descriptor }[];
  /** Not verified. */
  read(descriptor: Descriptor): ByteSource;
}

interface Context {
  readonly parts: Parts;
  readonly signal: AbortSignal;
}

/** Documents are small; a larger one is none (bytes). */
const maxDocumentBytes = 8 * 1024 * 1024;

/** What kind of document a place begins with, and the others by their digests. */
interface Documents extends AsyncDisposable {
  readonly first: { readonly mediaType: string; readonly bytes: Uint8Array };
  fetch(descriptor: Descriptor): Promise<Uint8Array>;
  read(descriptor: Descriptor): ByteSource;
}

/** The cache mounts of a layout, an archive or a repository: those that were exported, and those that a build cache carries. */
export async function findMountLayers(from: CacheMountOrigin, context: Context): Promise<FoundMounts> {
  const documents = await open(from, context);
  try {
    const descriptors = await collect(documents.first, documents, 0);
    return {
      layers: descriptors.map((descriptor) => ({ descriptor, id: shownId(readMount(descriptor).id) })),
      read: (descriptor) => documents.read(descriptor),
      [Symbol.asyncDispose]: () => documents[Symbol.asyncDispose](),
    };
  } catch (error) {
    await documents[Symbol.asyncDispose]();
    throw error;
  }
}

/** Indexes may lie in an index; more than this is nobody's. */
const maxDepth = 3;

async function collect(
  { mediaType, bytes }: Documents["first"],
  documents: Documents,
  depth: number,
): Promise<readonly Descriptor[]> {
  if (isManifest(mediaType)) return parseManifest(bytes).layers.filter(isMountLayer);
  if (depth >= maxDepth) throw new VarveError("CACHE_MOUNT_INVALID", "an index of images lies too deep in others");
  const found: Descriptor[] = [];
  for (const descriptor of parseIndex(bytes).manifests) {
    if (isMountLayer(descriptor)) found.push(descriptor);
    else if (isIndex(descriptor.mediaType) || isManifest(descriptor.mediaType)) {
      const inner = { mediaType: descriptor.mediaType, bytes: await documents.fetch(descriptor) };
      found.push(...(await collect(inner, documents, depth + 1)));
    }
  }
  return found;
}

async function open(from: CacheMountOrigin, context: Context): Promise<Documents> {
  if (from.type === "registry") return await openRepository(from.ref, context);
  if (from.type === "local") return await openLayout(from.src);
  return await openArchive(from.src, context);
}

async function openRepository(ref: string, { parts: { registry }, signal }: Context): Promise<Documents> {
  const reference = withDefaultTag(parseReference(ref));
  const { descriptor, bytes } = await registry.resolve(reference, { signal });
  const fetch = async (wanted: Descriptor) => (await registry.fetchManifest(reference, wanted, { signal })).bytes;
  return {
    first: { mediaType: descriptor.mediaType, bytes: bytes ?? (await fetch(descriptor)) },
    fetch,
    read: (wanted) => registry.fetchBlob(reference, wanted, { signal }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function openLayout(folder: string): Promise<Documents> {
  const layout = openImageLayout(folder);
  const nameless = parseReference("layout");
  return {
    first: { mediaType: indexType, bytes: await readIndexFile(join(folder, "index.json")) },
    fetch: async (wanted) => (await layout.fetchManifest(nameless, wanted)).bytes,
    read: (wanted) => layout.fetchBlob(nameless, wanted),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

const indexType = "application/vnd.oci.image.index.v1+json";

async function readIndexFile(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size <= maxDocumentBytes) return await readFile(path);
  } catch (cause) {
    throw new VarveError("LAYOUT_INVALID", `${path} cannot be read: there is no OCI image layout`, { cause });
  }
  throw new VarveError("LAYOUT_INVALID", `${path} is larger than a document of an image may be`);
}

/** Every file of the archive becomes a blob until the import is over: the index comes last. */
async function openArchive(src: string | AsyncIterable<Uint8Array>, { parts: { content }, signal }: Context): Promise<Documents> {
  const taken = new Set<Digest>();
  const drop = async () => {
    for (const digest of taken) await content.delete(digest);
  };
  try {
    let index: Digest | undefined;
    const source = typeof src === "string" ? readArchive(src) : src;
    for await (const entry of readTar((await decompress(source, { signal })).content)) {
      if (entry.type !== "file") continue;
      const named = /^(?:\.\/)?blobs\/sha256\/([0-9a-f]{64})$/.exec(entry.name)?.[1];
      const had = named !== undefined && (await content.has(`sha256:${named}` as Digest));
      const { digest } = await content.ingest(entry.body, { signal });
      if (!had) taken.add(digest);
      if (/^(?:\.\/)?index\.json$/.test(entry.name)) index = digest;
    }
    if (index === undefined)
      throw new VarveError("CACHE_MOUNT_INVALID", "the archive has no index.json: it holds no cache mounts", {
        hint: "make it with varve cache mounts export",
      });
    return {
      first: { mediaType: indexType, bytes: await content.readAll(index, { maxBytes: maxDocumentBytes, signal }) },
      fetch: async ({ digest }) => await content.readAll(digest, { maxBytes: maxDocumentBytes, signal }),
      read: ({ digest }) => content.open(digest, { signal }),
      [Symbol.asyncDispose]: drop,
    };
  } catch (error) {
    await drop();
    throw error;
  }
}

async function* readArchive(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (!(cause instanceof Error) || !("syscall" in cause)) throw cause;
    throw new VarveError("FILE_UNREADABLE", `cannot read ${path}`, { cause });
  }
}
