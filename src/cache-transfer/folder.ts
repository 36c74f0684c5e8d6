import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { holdLayout } from "../content/index.ts";
import { isVarveError, VarveError } from "../errors/index.ts";
import { verifyDigest, type ByteSource } from "../flow/index.ts";
import {
  digestAlgorithm,
  digestHex,
  isIndex,
  isManifest,
  parseIndex,
  parseManifest,
  serializeIndex,
  sha256,
  type Descriptor,
  type Digest,
} from "../oci/index.ts";
import { refuseLarge } from "./cache-config.ts";
import type { CacheTarget } from "./export-cache.ts";

const nameOfTag = "org.opencontainers.image.ref.name";
/** What a writer that was killed left is removed by a later one after this time. */
const staleMs = 60 * 60 * 1000;

export interface FolderOptions {
  readonly tag: string;
  /** Remove the blobs that no tag needs any more, once the new cache stands. */
  readonly reset: boolean;
}

/**
 * A folder with an OCI image layout (OCI image-spec, image-layout.md). Blobs are only ever added, each written aside and
 * renamed, and `index.json` is replaced at the end: whoever is killed leaves the caches that were there as they were.
 */
export function createFolderTarget(folder: string, { tag, reset }: FolderOptions): CacheTarget {
  const blobs = join(folder, "blobs", "sha256");
  let isPrepared: Promise<void> | undefined;
  const prepare = (): Promise<void> =>
    (isPrepared ??= mkdir(blobs, { recursive: true }).then(() => removeStale([folder, blobs])));
  return {
    async putBlob({ digest, size }, openBlob, { signal }) {
      await naming(folder, async () => {
        await prepare();
        const path = blobPath(folder, digest);
        if ((await stat(path).catch(ignoreMissing))?.size === size) return;
        await writeAside(path, verifyDigest(digest, size)(openBlob()), signal);
      });
    },
    async putManifest(mediaType, bytes, { signal }) {
      const descriptor: Descriptor = { mediaType, digest: sha256(bytes), size: bytes.length };
      await naming(folder, async () => {
        await prepare();
        await writeAside(blobPath(folder, descriptor.digest), [bytes], signal);
        await writeAside(join(folder, "oci-layout"), [Buffer.from('{"imageLayoutVersion":"1.0.0"}')], signal);
        using _held = await holdLayout(folder, { signal });
        const others = (await readIndex(folder)).filter(({ annotations }) => annotations?.[nameOfTag] !== tag);
        const manifests = [...others, { ...descriptor, annotations: { [nameOfTag]: tag } }];
        await writeAside(join(folder, "index.json"), [serializeIndex({ schemaVersion: 2, manifests })], signal);
        if (reset) await removeUnneeded(folder, manifests);
      });
      return descriptor;
    },
  };
}

/** The manifest that a tag of a cache folder names. Fails with CACHE_NOT_FOUND, CACHE_INVALID. */
export async function findInCacheFolder(folder: string, tag: string): Promise<Digest> {
  const manifests = await readIndex(folder);
  const found = manifests.findLast(({ annotations }) => annotations?.[nameOfTag] === tag);
  if (found !== undefined) return found.digest;
  throw new VarveError("CACHE_NOT_FOUND", `there is no cache with the tag ${tag} in ${folder}`);
}

async function readIndex(folder: string): Promise<readonly Descriptor[]> {
  const bytes = await readSmall(join(folder, "index.json"));
  if (bytes === undefined) return [];
  try {
    return parseIndex(bytes).manifests;
  } catch (cause) {
    throw new VarveError("CACHE_INVALID", `the index.json of ${folder} is none of an image layout`, { cause });
  }
}

/** Removes what no manifest names. A manifest that cannot be read keeps everything: better too much than a hole. */
async function removeUnneeded(folder: string, manifests: readonly Descriptor[]): Promise<void> {
  const needed = new Set<string>();
  const visit = async (descriptor: Descriptor): Promise<void> => {
    if (needed.has(descriptor.digest)) return;
    needed.add(descriptor.digest);
    const { mediaType } = descriptor;
    if (!isIndex(mediaType) && !isManifest(mediaType)) return;
    const bytes = await readSmall(blobPath(folder, descriptor.digest));
    if (bytes === undefined) return;
    if (isIndex(mediaType)) for (const member of parseIndex(bytes).manifests) await visit(member);
    else {
      const { config, layers } = parseManifest(bytes);
      for (const { digest } of [config, ...layers]) needed.add(digest);
    }
  };
  try {
    for (const manifest of manifests) await visit(manifest);
  } catch (error) {
    if (isVarveError(error)) return;
    throw error;
  }
  const blobs = join(folder, "blobs", "sha256");
  for (const name of await readdir(blobs)) {
    if (/^[0-9a-f]{64}$/.test(name) && !needed.has(`sha256:${name}`)) await rm(join(blobs, name), { force: true });
  }
}

function blobPath(folder: string, digest: Digest): string {
  if (digestAlgorithm(digest) !== "sha256")
    throw new VarveError("CACHE_INVALID", `a cache folder cannot hold the blob ${digest}`);
  return join(folder, "blobs", "sha256", digestHex(digest));
}

async function readSmall(path: string): Promise<Uint8Array | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(ignoreMissing);
  if (handle === undefined) return undefined;
  await using file = handle;
  const facts = await file.stat();
  if (!facts.isFile()) throw new VarveError("CACHE_INVALID", `${path} is not a file`);
  refuseLarge(facts.size, "document of the cache folder");
  return await file.readFile();
}

async function writeAside(path: string, source: ByteSource | readonly Uint8Array[], signal: AbortSignal): Promise<void> {
  const aside = join(path, "..", `.varve-${randomBytes(8).toString("hex")}.tmp`);
  try {
    await using file = await open(aside, "wx", 0o644);
    for await (const chunk of source) {
      signal.throwIfAborted();
      await file.writeFile(chunk);
    }
    await file.sync();
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

async function removeStale(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (!/^\.varve-[0-9a-f]{16}\.tmp$/.test(name)) continue;
      if (Date.now() - ((await stat(path).catch(ignoreMissing))?.mtimeMs ?? 0) > staleMs) await rm(path, { force: true });
    }
  }
}

/** Names the folder in errors of the file system; other errors stay as they are. */
async function naming<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    const isFull = code === "ENOSPC" || code === "EDQUOT";
    throw new VarveError(isFull ? "DISK_FULL" : "CACHE_EXPORT_FAILED", `cannot write the cache folder ${folder}: ${code}`, {
      cause: error,
    });
  }
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
  throw error;
}
