import type { ContentStore } from "../content/index.ts";
import {
  parseReference,
  familiarReference,
  formatPlatform,
  formatReference,
  platformOfSpec,
  serializeIndex,
  type Descriptor,
  type Digest,
} from "../oci/index.ts";
import type { PackedImage, PackedIndex } from "./pack-image.ts";
import { encodeEntry, endOfArchive, padding } from "../tar/index.ts";
import type { ByteSink } from "./output-file.ts";

export type ArchiveKind = "oci" | "docker";

export interface ArchiveImage extends PackedImage {
  /** Canonical references with tags. */
  readonly names: readonly string[];
}

/** The images of several platforms under one name. */
export interface ArchiveIndex extends PackedIndex {
  readonly names: readonly string[];
}

export interface ArchiveOptions {
  readonly content: ContentStore;
  readonly signal: AbortSignal;
  /** Layers that are left out although the documents name them: whoever reads the archive has them. */
  readonly without?: ReadonlySet<Digest> | undefined;
  /** Of images of several platforms the one that `manifest.json` names, as `formatPlatform` writes it; default none. */
  readonly platform?: string | undefined;
}

/**
 * Writes images as one tar: an OCI image layout (OCI image-spec, image-layout.md), for `docker` with the `manifest.json`
 * that `docker load` reads beside it. Entries are sorted and carry no time: the same images give the same bytes.
 */
export async function writeArchive(
  kind: ArchiveKind,
  images: readonly (ArchiveImage | ArchiveIndex)[],
  sink: ByteSink,
  { content, signal, without = new Set(), platform }: ArchiveOptions,
): Promise<void> {
  const blobs = listBlobs(images).filter(([digest]) => !without.has(digest));
  await sink(entry("blobs", "directory"));
  await sink(entry("blobs/sha256", "directory"));
  for (const [digest, size] of blobs) {
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
  if (kind === "docker")
    await writeFile(
      "manifest.json",
      Buffer.from(JSON.stringify(images.flatMap((image) => dockerEntries(image, platform)))),
      sink,
    );
  await writeFile("oci-layout", layoutMark, sink);
  await sink(endOfArchive);
}

/** OCI image-spec, image-layout.md, "oci-layout file". */
export const layoutMark = Buffer.from('{"imageLayoutVersion":"1.0.0"}');

/** Digest and size of everything that images are made of, their own documents too, sorted. */
export function listBlobs(images: readonly (ArchiveImage | ArchiveIndex)[]): (readonly [digest: Digest, size: number])[] {
  const blobs = new Map<Digest, number>();
  const add = ({ descriptor, manifest }: PackedImage): void => {
    for (const { digest, size } of [descriptor, manifest.config, ...manifest.layers]) blobs.set(digest, size);
  };
  for (const image of images) {
    if ("index" in image) {
      blobs.set(image.descriptor.digest, image.descriptor.size);
      image.images.forEach(add);
    } else add(image);
  }
  return [...blobs].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** An entry for each name, as containerd writes them; one without annotations for an image without a name. */
export function listImage({ descriptor, names }: ArchiveImage | ArchiveIndex): Descriptor[] {
  if (names.length === 0) return [descriptor];
  return names.map((name) => ({
    ...descriptor,
    annotations: {
      ...descriptor.annotations,
      "io.containerd.image.name": formatReference(parseReference(name)),
      "org.opencontainers.image.ref.name": parseReference(name).tag ?? "latest",
    },
  }));
}

/** `manifest.json` knows no platforms: of several images under one name it has that of the reader's likely machine, or none. */
function dockerEntries(image: ArchiveImage | ArchiveIndex, platform: string | undefined): readonly unknown[] {
  if ("index" in image) {
    const own = image.images.find(({ descriptor }) => isFor(descriptor, platform));
    return own === undefined ? [] : [dockerEntry({ ...own, names: image.names })];
  }
  return [dockerEntry(image)];
}

function isFor(descriptor: Descriptor, platform: string | undefined): boolean {
  return descriptor.platform !== undefined && formatPlatform(platformOfSpec(descriptor.platform)) === platform;
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
