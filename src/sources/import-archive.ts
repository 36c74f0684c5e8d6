import { VarveError } from "../errors/index.ts";
import type { ContentStore } from "../content/index.ts";
import {
  isIndex,
  isManifest,
  mediaTypes,
  parseDigest,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parseReference,
  formatReference,
  isReference,
  selectManifest,
  withDefaultTag,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type Manifest,
  type Platform,
} from "../oci/index.ts";
import { readTar } from "../tar/index.ts";

/** An image found in an archive or a layout folder; its config, and its layers as blobs, are in the content store. */
export interface ImportedImage {
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly manifest: Manifest;
  /** Canonical references with tags. */
  readonly names: readonly string[];
}

export interface ImportOptions {
  readonly content: ContentStore;
  /** Which image of an index with several platforms is meant. */
  readonly platform: Platform;
  readonly signal: AbortSignal;
}

interface StoredFile {
  readonly digest: Digest;
  readonly size: number;
}

/** Documents of an archive are small; a larger one is none (bytes). */
const maxDocumentBytes = 8 * 1024 * 1024;

/**
 * Takes all images of an uncompressed archive into the content store: an OCI layout (`index.json`), or what
 * `docker save` writes (`manifest.json`), old and new. Every file becomes a blob under the digest of its bytes, so a
 * file that lies about its name in `blobs/` is simply not found.
 */
export async function importArchive(source: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<ImportedImage[]> {
  const { content, signal } = options;
  const files = new Map<string, StoredFile>();
  const links: (readonly [path: string, target: string])[] = [];
  for await (const entry of readTar(source)) {
    signal.throwIfAborted();
    const path = cleanPath(entry.name);
    if (entry.type === "file") files.set(path, await content.ingest(entry.body, { signal }));
    else if (entry.type === "symlink")
      links.push([path, cleanPath(`${path.slice(0, path.lastIndexOf("/") + 1)}${entry.linkPath.toString()}`)]);
    else if (entry.type === "link") links.push([path, cleanPath(entry.linkPath.toString())]);
  }
  for (const [path, target] of links) {
    const file = files.get(target);
    if (file) files.set(path, file);
  }
  const read = async (path: string): Promise<Uint8Array | undefined> => {
    const file = files.get(path);
    return file && content.readAll(file.digest, { maxBytes: maxDocumentBytes, signal });
  };
  const manifests = await read("manifest.json");
  if (manifests) return importDockerImages(manifests, files, options);
  const index = await read("index.json");
  if (index) return importIndex(index, options);
  throw new VarveError("ARCHIVE_NO_IMAGE", "the archive has neither a manifest.json nor an index.json: it holds no image", {
    hint: "make it with `docker save`, `varve save` or `--output type=oci,dest=…`",
  });
}

/** The images that an OCI index lists; an index within counts as the one image of it that fits the platform. */
async function importIndex(bytes: Uint8Array, options: ImportOptions): Promise<ImportedImage[]> {
  const images = new Map<Digest, ImportedImage>();
  for (const descriptor of parseIndex(bytes).manifests) {
    const found = await findManifest(descriptor, options);
    if (!found) continue;
    const name = nameOf(descriptor);
    const image = images.get(found.id) ?? found;
    images.set(found.id, { ...image, names: [...image.names, ...(name === undefined ? [] : [name])] });
  }
  return [...images.values()];
}

async function findManifest(descriptor: Descriptor, options: ImportOptions): Promise<ImportedImage | undefined> {
  const { content, platform, signal } = options;
  const bytes = await content.readAll(descriptor.digest, { maxBytes: maxDocumentBytes, signal });
  if (isIndex(descriptor.mediaType)) {
    const chosen = selectManifest(parseIndex(bytes), platform);
    return chosen && findManifest(chosen, options);
  }
  if (!isManifest(descriptor.mediaType)) return undefined;
  const manifest = parseManifest(bytes);
  const config = parseImageConfig(await content.readAll(manifest.config.digest, { maxBytes: maxDocumentBytes, signal }));
  return { id: manifest.config.digest, config, manifest, names: [] };
}

/** `io.containerd.image.name` is a whole reference; `ref.name` is one only in the archives of some tools. */
function nameOf({ annotations = {} }: Descriptor): string | undefined {
  const name = annotations["io.containerd.image.name"] ?? annotations["org.opencontainers.image.ref.name"];
  if (name === undefined || !isReference(name) || !/[:/]/.test(name)) return undefined;
  return formatReference(withDefaultTag(parseReference(name)));
}

interface DockerEntry {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

async function importDockerImages(
  bytes: Uint8Array,
  files: ReadonlyMap<string, StoredFile>,
  { content, signal }: ImportOptions,
): Promise<ImportedImage[]> {
  const images: ImportedImage[] = [];
  for (const entry of parseDockerManifest(bytes)) {
    const find = (path: string): StoredFile => {
      const file = files.get(cleanPath(path));
      if (!file) throw new VarveError("ARCHIVE_NO_IMAGE", `the archive's manifest.json names ${path}, which is not in it`);
      return file;
    };
    const configFile = find(entry.Config);
    const config = parseImageConfig(await content.readAll(configFile.digest, { maxBytes: maxDocumentBytes, signal }));
    const layers = await Promise.all(entry.Layers.map(async (path) => describeLayer(find(path), content, signal)));
    if (layers.length !== config.rootfs.diff_ids.length)
      throw new VarveError("ARCHIVE_NO_IMAGE", "the archive lists other layers than its image config");
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: { mediaType: mediaTypes.dockerConfig, ...configFile },
      layers,
    };
    const names = (entry.RepoTags ?? []).map((tag) => formatReference(withDefaultTag(parseReference(tag))));
    images.push({ id: parseDigest(configFile.digest), config, manifest, names });
  }
  return images;
}

/** A saved layer may be compressed or not, whatever its name: its first bytes tell. */
async function describeLayer(file: StoredFile, content: ContentStore, signal: AbortSignal): Promise<Descriptor> {
  let head = Buffer.alloc(0);
  for await (const chunk of content.open(file.digest, { signal })) {
    head = Buffer.concat([head, chunk]);
    if (head.length >= 4) break;
  }
  const gzip = head.readUInt16BE(0) === 0x1f8b;
  const zstd = head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528;
  return { mediaType: gzip ? mediaTypes.dockerLayerGzip : zstd ? mediaTypes.ociLayerZstd : mediaTypes.dockerLayer, ...file };
}

function parseDockerManifest(bytes: Uint8Array): DockerEntry[] {
  const fail = (cause?: unknown) =>
    new VarveError("ARCHIVE_NO_IMAGE", "the archive's manifest.json cannot be understood", { cause });
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw fail(error);
  }
  const isTexts = (list: unknown): list is string[] => Array.isArray(list) && list.every((item) => typeof item === "string");
  if (!Array.isArray(value)) throw fail();
  return value.map((entry: Partial<DockerEntry> | null) => {
    const { Config: config, RepoTags: tags = null, Layers: layers } = entry ?? {};
    if (typeof config !== "string" || !isTexts(layers) || !(tags === null || isTexts(tags))) throw fail();
    return { Config: config, RepoTags: tags, Layers: layers };
  });
}

/** A name in an archive without `.`, `..` and doubled slashes; only ever a key of a map, never a path on disk. */
function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}
