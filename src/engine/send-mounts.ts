import { createWriteStream } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { PackedMount } from "../cache-mounts/index.ts";
import { holdLayout } from "../content/index.ts";
import { VarveError } from "../errors/index.ts";
import { withOutputFile, writeArchive } from "../exporters/index.ts";
import {
  mediaTypes,
  parseIndex,
  parseReference,
  serializeIndex,
  serializeManifest,
  withDefaultTag,
  type Descriptor,
  type Manifest,
} from "../oci/index.ts";
import type { CacheMountDestination } from "./cache-mount-types.ts";
import type { Parts } from "./parts.ts";

/** What a manifest of cache mounts says it is (OCI image-spec 1.1, manifest.md, "Guidelines for Artifact Usage"). */
export const cacheMountsType = "application/vnd.varve.cache-mounts.v1";

interface Sending {
  readonly parts: Parts;
  readonly signal: AbortSignal;
  readonly status: (id: string, current: number, total: number, done: boolean) => void;
}

/** Puts packed mounts where they are wanted, as one manifest with a layer for each. Returns the manifest's descriptor. */
export async function sendMounts(
  packed: readonly PackedMount[],
  to: CacheMountDestination,
  { parts, signal, status }: Sending,
): Promise<Descriptor> {
  const { content } = parts;
  const config = { mediaType: mediaTypes.ociEmpty, ...(await content.writeBytes(Buffer.from("{}"), { signal })) };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: cacheMountsType,
    config,
    layers: packed.map(({ descriptor }) => descriptor),
  };
  const bytes = serializeManifest(manifest);
  const descriptor: Descriptor = {
    mediaType: mediaTypes.ociManifest,
    artifactType: cacheMountsType,
    ...(await content.writeBytes(bytes, { signal })),
  };
  try {
    if (to.type === "tar") {
      await withOutputFile(to.dest, (sink) =>
        writeArchive("oci", [{ manifest, descriptor, names: [] }], sink, { content, signal }),
      );
    } else if (to.type === "local") await writeLayout(to.dest, manifest, descriptor, { parts, signal });
    else {
      const reference = withDefaultTag(parseReference(to.ref));
      for (const blob of [...manifest.layers, config]) {
        await parts.registry.pushBlob(reference, blob, () => content.open(blob.digest, { signal }), { signal });
        status(blob.digest, blob.size, blob.size, true);
      }
      await parts.registry.pushManifest(reference, mediaTypes.ociManifest, bytes, { signal });
    }
  } finally {
    await content.delete(descriptor.digest);
  }
  return descriptor;
}

/** An image layout in a folder; images that are in it already stay, an earlier list of cache mounts does not. */
async function writeLayout(
  folder: string,
  manifest: Manifest,
  descriptor: Descriptor,
  { parts: { content }, signal }: Pick<Sending, "parts" | "signal">,
): Promise<void> {
  try {
    const blobs = join(folder, "blobs", "sha256");
    await mkdir(blobs, { recursive: true });
    await readOthers(folder); // a file that is none is told before anything is written
    for (const { digest } of [...manifest.layers, manifest.config, descriptor]) {
      const path = join(blobs, digest.slice("sha256:".length));
      await writeAside(path, content.open(digest, { signal }), signal);
    }
    await writeAside(join(folder, "oci-layout"), [Buffer.from('{"imageLayoutVersion":"1.0.0"}')], signal);
    using _held = await holdLayout(folder, { signal });
    const others = await readOthers(folder);
    const index = serializeIndex({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...others, descriptor] });
    await writeAside(join(folder, "index.json"), [index], signal);
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (syscall === undefined) throw cause;
    const full = code === "ENOSPC" || code === "EDQUOT";
    throw new VarveError(full ? "DISK_FULL" : "OUTPUT_FAILED", `cannot write the output ${folder}: ${code}`, { cause });
  }
}

async function readOthers(folder: string): Promise<readonly Descriptor[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(join(folder, "index.json"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return parseIndex(bytes).manifests.filter(({ artifactType }) => artifactType !== cacheMountsType);
}

async function writeAside(
  path: string,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const aside = `${path}.${process.pid}.tmp`;
  try {
    await pipeline(source, createWriteStream(aside, { flush: true }), { signal });
    await rename(aside, path);
  } finally {
    await rm(aside, { force: true });
  }
}
