import { VarveError } from "../errors/index.ts";
import { storeImage, type ExportedImage, type PackedImage } from "../exporters/index.ts";
import {
  canonicalName,
  familiarReference,
  formatPlatform,
  formatReference,
  hostPlatform,
  parseReference,
  serializeIndex,
  serializeManifest,
  withDefaultTag,
  type Descriptor,
  type Digest,
  type ImageReference,
} from "../oci/index.ts";
import { pushImage, type PushTree } from "../registry/index.ts";
import { bringFiles, namesOf, needsManifest, type Exporting } from "./exporting.ts";
import { pushTreeOf } from "./image-transfers.ts";
import type { ReportStatus } from "./internal-step.ts";
import type { MadeImage } from "./make-images.ts";
import type { ImageOutput } from "./output-types.ts";
import { pushFailure } from "./push-failure.ts";

/** What an image output made. */
export interface StoredImage {
  /** One for each platform. */
  readonly image: readonly ExportedImage[];
  readonly descriptor?: Descriptor | undefined;
  readonly names: readonly string[];
}

/** Puts images into the image store, into registries, or both. What cannot be sent is in the store by then. */
export async function exportToStore(
  output: ImageOutput,
  tags: readonly string[],
  exporting: Exporting,
  status: ReportStatus,
): Promise<StoredImage> {
  const { maker, parts } = exporting;
  const isPushed = output.push === true;
  const targets = isPushed ? pushTargets(output, tags) : [];
  if (output.unpack === true) await bringFiles(exporting, status);
  // what is rewritten is kept as blobs alone
  const leaveAway = output.rewriteTimestamp !== true;
  const packed = maker.isIndex || needsManifest(output) ? await maker.pack(output, status, { leaveAway }) : undefined;
  if (packed === undefined) status("exporting layers", 0, 0, true);
  const images = await maker.identify(output);
  const names = output.pushByDigest === true ? [] : namesOf(output, tags);
  const known = [...names, ...canonicalNames(output, names, packed?.descriptor)];
  if (output.store !== false) keep(output, { images, names, packed }, exporting, status);
  if (packed !== undefined) addDigests(known, images, exporting);
  for (const target of targets) await push(target, packed as MadeImage, { output, exporting, status, image: images });
  if (packed !== undefined && isPushed) {
    for (const target of targets)
      parts.images.addDigest(canonicalName(target), packed.descriptor.digest, ownImage(images, exporting).id);
  }
  const pushedNames = targets.map((target) => formatReference(target));
  return { image: images, descriptor: packed?.descriptor, names: known.length > 0 ? known : pushedNames };
}

/** References to push to. Without a tag only where it goes by its digest. */
function pushTargets({ names = [], pushByDigest }: ImageOutput, tags: readonly string[]): ImageReference[] {
  const all = [...new Set([...tags, ...names])].map((name) => parseReference(name));
  if (all.length === 0) {
    throw new VarveError("OUTPUT_OPTIONS", "tag is needed when pushing to registry", {
      hint: "name the image with -t, or with name= in the output",
    });
  }
  if (pushByDigest !== true)
    return [...new Map(all.map((ref) => [formatReference(withDefaultTag(ref)), withDefaultTag(ref)])).values()];
  const tagged = all.find(({ tag }) => tag !== undefined);
  if (tagged !== undefined)
    throw new VarveError("OUTPUT_OPTIONS", `can't push tagged ref ${formatReference(tagged)} by digest`, {
      hint: "give the name without a tag in the output: type=image,name=repository,push-by-digest=true,push=true",
    });
  return all;
}

/** `repository@digest`, as `name-canonical` and `dangling-name-prefix` ask for. */
function canonicalNames(
  { nameCanonical, danglingNamePrefix, danglingNameEmptyOnly }: ImageOutput,
  names: readonly string[],
  descriptor: Descriptor | undefined,
): string[] {
  if (descriptor === undefined) return [];
  const dangling =
    danglingNamePrefix !== undefined && (danglingNameEmptyOnly !== true || names.length === 0) ? [danglingNamePrefix] : [];
  const canonical = nameCanonical === true ? names.map((name) => canonicalName(parseReference(name))) : [];
  return [...new Set([...canonical, ...dangling])].map((repository) => `${repository}@${descriptor.digest}`);
}

function keep(
  output: ImageOutput,
  {
    images,
    names,
    packed,
  }: { readonly images: readonly ExportedImage[]; readonly names: readonly string[]; readonly packed: MadeImage | undefined },
  { parts, maker, results }: Exporting,
  status: ReportStatus,
): void {
  const own = ownIndex({ results });
  for (const [index, image] of images.entries()) {
    const manifest = manifestAt(packed, index);
    const isNamed = !maker.isIndex || index === own;
    storeImage(image, isNamed ? names : [], parts.images, { manifest });
    status(`writing image ${image.id}`, 0, 0, true);
  }
  // What a name is sent as, where that is more than the store makes of an image by itself.
  const isOwn = packed === undefined || (!maker.isIndex && !needsManifest({ ...output, push: false }));
  const document = isOwn ? undefined : { digest: packed.descriptor.digest, parts: partsOf(packed) };
  for (const name of names) {
    if (document !== undefined) parts.images.setIndex(name, document);
    status(`naming to ${name}`, 0, 0, true);
  }
}

function partsOf(packed: MadeImage): Digest[] {
  const all = imagesOf(packed).flatMap(({ descriptor, manifest }) => [descriptor, manifest.config, ...manifest.layers]);
  return [...new Set([packed.descriptor, ...all].map(({ digest }) => digest))];
}

function manifestAt(packed: MadeImage | undefined, index: number): PackedImage["manifest"] | undefined {
  if (packed === undefined) return undefined;
  return "index" in packed ? packed.images[index]?.manifest : packed.manifest;
}

/** The image that a name of the store stands for where there are several: this machine's, else the first. */
function ownImage(images: readonly ExportedImage[], exporting: Exporting): ExportedImage {
  return images[ownIndex(exporting)] as ExportedImage;
}

function ownIndex({ results }: Pick<Exporting, "results">): number {
  const own = formatPlatform(hostPlatform(process.arch));
  return Math.max(
    results.findIndex(({ platform }) => formatPlatform(platform) === own),
    0,
  );
}

function addDigests(names: readonly string[], images: readonly ExportedImage[], exporting: Exporting): void {
  const { id } = ownImage(images, exporting);
  for (const name of names) {
    const reference = name.includes("@") ? parseReference(name) : undefined;
    if (reference?.digest !== undefined) exporting.parts.images.addDigest(canonicalName(reference), reference.digest, id);
  }
}

async function push(
  target: ImageReference,
  packed: MadeImage,
  context: {
    readonly output: ImageOutput;
    readonly exporting: Exporting;
    readonly status: ReportStatus;
    readonly image: readonly ExportedImage[];
  },
): Promise<void> {
  const { output, exporting, status } = context;
  const { parts, signal } = exporting;
  const client = output.insecure === true ? parts.insecureRegistry(target.domain) : parts.registry;
  const tree = treeOf(packed, target, exporting);
  const name = formatReference(target);
  status(`pushing ${name}`, 0, 0, false);
  try {
    await pushImage(client, target, tree, {
      signal,
      onStatus: ({ digest, current, total, how }) => status(`pushing layer ${digest}`, current, total, how !== undefined),
    });
  } catch (error) {
    throw pushFailure(error, familiarReference(target), { isStored: output.store !== false && !exporting.maker.isIndex });
  }
  const digests = imagesOf(packed).flatMap(({ manifest }) => manifest.layers.map(({ digest }) => digest));
  parts.blobPlaces.add(digests, target);
  status(`pushing ${name}`, 0, 0, true);
}

function treeOf(packed: MadeImage, target: ImageReference, { parts, signal }: Exporting): PushTree {
  const manifests = imagesOf(packed).map(({ manifest, descriptor: { mediaType } }) =>
    pushTreeOf({ manifest, mediaType, bytes: serializeManifest(manifest) }, target, parts, signal),
  );
  if (!("index" in packed)) return manifests[0] as PushTree;
  return { mediaType: packed.descriptor.mediaType, bytes: serializeIndex(packed.index), manifests };
}

function imagesOf(packed: MadeImage): readonly PackedImage[] {
  return "index" in packed ? packed.images : [packed];
}
