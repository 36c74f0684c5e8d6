import type { ContentStore } from "../content/index.ts";
import {
  parseReference,
  familiarReference,
  formatReference,
  serializeIndex,
  type Descriptor,
  type Digest,
  type Manifest,
} from "../oci/index.ts";
import { encodeEntry, endOfArchive, padding } from "../tar/index.ts";
import type { ByteSink } from "./output-file.ts";

export type ArchiveKind = "oci" | "docker";

export interface ArchiveImage {
  readonly manifest: Manifest;
  readonly descriptor: Descriptor;
  /** Canonical references with tags. */
  readonly names: readonly string[];
}

export interface ArchiveOptions {
  readonly content: ContentStore;
  readonly signal: AbortSignal;
}

/**
 * Writes images as one tar: an OCI image layout (OCI image-spec, image-layout.md), for `docker` with the `manifest.json`
 * that `docker load` reads beside it. Entries are sorted and carry no time: the same images give the same bytes.
 */
export async function writeArchive(
  kind: ArchiveKind,
  images: readonly ArchiveImage[],
  sink: ByteSink,
  { content, signal }: ArchiveOptions,
): Promise<void> {
  const blobs = new Map<Digest, number>();
  for (const { manifest, descriptor } of images) {
    for (const { digest, size } of [descriptor, manifest.config, ...manifest.layers]) blobs.set(digest, size);
  }
  await sink(entry("blobs", "directory"));
  await sink(entry("blobs/sha256", "directory"));
  for (const [digest, size] of [...blobs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    signal.throwIfAborted();
    await sink(entry(blobPath(digest), "file", size));
    for await (const chunk of content.open(digest, { signal })) await sink(chunk);
    await sink(padding(size));
  }
  await writeFile(
    "index.json",
    serializeIndex({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: images.flatMap(listImage),
    }),
    sink,
  );
  if (kind === "docker") await writeFile("manifest.json", Buffer.from(JSON.stringify(images.map(dockerEntry))), sink);
  await writeFile("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'), sink);
  await sink(endOfArchive);
}

/** An entry for each name, as containerd writes them; one without annotations for an image without a name. */
function listImage({ descriptor, names }: ArchiveImage): Descriptor[] {
  if (names.length === 0) return [descriptor];
  return names.map((name) => ({
    ...descriptor,
    annotations: {
      "io.containerd.image.name": formatReference(parseReference(name)),
      "org.opencontainers.image.ref.name": parseReference(name).tag ?? "latest",
    },
  }));
}

function dockerEntry({ manifest, names }: ArchiveImage): unknown {
  return {
    Config: blobPath(manifest.config.digest),
    RepoTags: names.length === 0 ? null : names.map((name) => familiarReference(parseReference(name))),
    Layers: manifest.layers.map(({ digest }) => blobPath(digest)),
  };
}

async function writeFile(path: string, bytes: Uint8Array, sink: ByteSink): Promise<void> {
  await sink(entry(path, "file", bytes.length));
  await sink(bytes);
  await sink(padding(bytes.length));
}

function entry(path: string, type: "file" | "directory", size = 0): Buffer {
  return encodeEntry({ path, type, size, mode: type === "file" ? 0o444 : 0o755, uid: 0, gid: 0, mtime: { sec: 0n, nsec: 0 } });
}

function blobPath(digest: Digest): string {
  return `blobs/${digest.replace(":", "/")}`;
}
