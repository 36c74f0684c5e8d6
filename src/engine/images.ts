import { findImageUsers, isContainerUp } from "../containers/index.ts";
import { VarveError } from "../errors/index.ts";
import { packImage, type ArchiveImage, type ExportedImage } from "../exporters/index.ts";
import type { ImageRecord } from "../images/index.ts";
import { decompress } from "../layers/index.ts";
import {
  canonicalName,
  familiarName,
  familiarReference,
  formatReference,
  hostPlatform,
  isReference,
  normalizePlatform,
  parseImageConfig,
  parseReference,
  serializeManifest,
  withDefaultTag,
  type Digest,
  type ImageConfig,
  type Manifest,
} from "../oci/index.ts";
import { importArchive } from "../sources/index.ts";
import { pullImage, pushStored } from "./image-transfers.ts";
import { readMembers } from "./image-members.ts";
import type { Parts } from "./parts.ts";
import { bringWithinQuota, type LimitedWork } from "./quota.ts";
import type { ImageDetails, Images, ImageSummary } from "./types.ts";

/** A config is a document; a larger one is none (bytes). */
const maxConfigBytes = 8 * 1024 * 1024;

/** The image commands over a store. */
export function createImages(needParts: () => Parts): Images {
  const readConfig = async (record: ImageRecord) =>
    parseImageConfig(await needParts().content.readAll(record.id, { maxBytes: maxConfigBytes }));

  async function asExported(record: ImageRecord, signal: AbortSignal): Promise<ExportedImage> {
    const parts = needParts();
    if (record.layers) parts.snapshots.claim(record.layers);
    const config = await readConfig(record);
    const stack = record.layers
      ? { kind: "stack" as const, layers: record.layers }
      : await parts.imageSource.unpackRecord(record, config, { signal });
    const layers = config.rootfs.diff_ids.map((diffId, index) => ({
      diffId,
      diffSize: parts.snapshots.get(stack.layers[index] ?? -1)?.diffSize ?? 0,
    }));
    return { id: record.id, config, layers, stack };
  }

  /**
   * A manifest with all its blobs in the content store: the one that the image came with, or a new one. With `leaveAway` blobs that a
   * registry keeps stay there.
   */
  async function asArchived(
    record: ImageRecord,
    names: readonly string[],
    signal: AbortSignal,
    { leaveAway = false } = {},
  ): Promise<ArchiveImage> {
    const { content } = needParts();
    if (record.manifest && (await Promise.all(record.manifest.layers.map(({ digest }) => content.has(digest)))).every(Boolean)) {
      const { digest, size } = await content.writeBytes(serializeManifest(record.manifest), { signal });
      return {
        manifest: record.manifest,
        descriptor: { mediaType: record.manifest.mediaType ?? "application/vnd.oci.image.manifest.v1+json", digest, size },
        names,
      };
    }
    const packed = await packImage(await asExported(record, signal), {
      ...needParts(),
      compression: "gzip",
      dockerTypes: true,
      leaveAway,
      signal,
    });
    return { ...packed, names };
  }

  /** Unpacks an image that came as blobs: then its size is known, and builds can stand on it at once. The answer puts it into the store. */
  async function unpackArrived(
    { id, config, manifest }: { readonly id: Digest; readonly config: ImageConfig; readonly manifest: Manifest | undefined },
    signal: AbortSignal,
  ): Promise<() => void> {
    const { images, imageSource, snapshots } = needParts();
    const record = { id, layers: undefined, manifest, sizeBytes: 0, createdMs: 0, names: [], digests: [] };
    const { layers } = await imageSource.unpackRecord(record, config, { signal });
    const sizeBytes = layers.reduce((sum, layer) => sum + (snapshots.get(layer)?.diffSize ?? 0), 0);
    return () => images.put({ id, layers, ...(manifest ? { manifest } : {}), sizeBytes });
  }

  async function loadArchive(
    source: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
    limited: LimitedWork,
  ): Promise<readonly string[]> {
    using _used = needParts().leases.hold();
    const { content, images, blobs } = needParts();
    const arrived = await limited.within(signal, async (within) => {
      const archive = (await decompress(source, { signal: within })).content;
      const imported = await importArchive(archive, { content, platform: hostPlatform(process.arch), signal: within });
      const unpacked: { readonly id: Digest; readonly names: readonly string[]; readonly put: () => void }[] = [];
      for (const { id, config, manifest, names } of imported) {
        config.rootfs.diff_ids.forEach((diffId, index) => {
          const layer = manifest.layers[index];
          if (layer) blobs.add(diffId, layer);
        });
        unpacked.push({ id, names, put: await unpackArrived({ id, config, manifest }, within) });
      }
      return unpacked;
    });
    for (const { id, names, put } of arrived) {
      put();
      for (const name of names) images.setName(name, id);
    }
    return arrived.flatMap(({ id, names }) =>
      names.length > 0 ? names.map((name) => familiarReference(parseReference(name))) : [id],
    );
  }

  return {
    async list() {
      return Promise.all(
        needParts()
          .images.list()
          .map(async (record) => summarize(record, await readConfig(record))),
      );
    },
    async inspect(name) {
      const record = findImage(name, needParts());
      return describe(record, await readConfig(record), needParts());
    },
    tree: async () => await (await import("./image-trees.ts")).listTrees(needParts()),
    async indexOf(name) {
      const { images } = needParts();
      const tag = isReference(name) ? formatReference(withDefaultTag(parseReference(name))) : undefined;
      const index = tag === undefined ? undefined : images.indexOf(tag);
      if (index === undefined) return undefined;
      return (await readMembers(index.digest, needParts())) === undefined ? undefined : index.digest;
    },
    async tag(source, target) {
      const { images } = needParts();
      const { id, names } = findImage(source, needParts());
      const name = formatReference(withDefaultTag(parseTarget(target)));
      const from = isReference(source) ? formatReference(withDefaultTag(parseReference(source))) : undefined;
      const index = from !== undefined && names.includes(from) ? images.indexOf(from) : undefined;
      images.setName(name, id);
      if (index !== undefined) images.setIndex(name, index);
    },
    async remove(name, { force = false } = {}) {
      const { images, state } = needParts();
      const record = findImage(name, needParts());
      const tag = isReference(name) ? formatReference(withDefaultTag(parseReference(name))) : undefined;
      const named = tag !== undefined && record.names.includes(tag);
      if (!named && record.names.length > 1 && !force) {
        throw new VarveError(
          "IMAGE_IN_USE",
          `conflict: unable to delete ${name} (must be forced) - image is referenced in multiple repositories`,
        );
      }
      const gone = named ? [tag] : record.names;
      if (gone.length === record.names.length) refuseUsed(needParts(), record, { name, named, force });
      for (const each of gone) state.removing(() => images.removeName(each));
      const done: { untagged?: string; deleted?: string }[] = gone.map((each) => ({
        untagged: familiarReference(parseReference(each)),
      }));
      if (gone.length === record.names.length) {
        state.removing(() => images.delete(record.id));
        done.push({ deleted: record.id });
      }
      return done;
    },
    async save(names, sink, { platforms = [], signal = new AbortController().signal } = {}) {
      const parts = needParts();
      using _used = parts.leases.hold();
      const { saveImages } = await import("./save-images.ts");
      await saveImages(names, sink, parts, { platforms, signal, archive: asArchived, find: (name) => findImage(name, parts) });
    },
    async load(source, { signal = new AbortController().signal } = {}) {
      return await bringWithinQuota(needParts(), async (limited) => loadArchive(source, signal, limited));
    },
    async import(source, { signal = new AbortController().signal, ...options } = {}) {
      const { importImage } = await import("./import-image.ts");
      return await importImage(needParts(), source, { ...options, signal });
    },
    pull: async (name, options = {}) =>
      await bringWithinQuota(needParts(), async (limited) =>
        pullImage(name, needParts(), { unpack: unpackArrived, limited }, options),
      ),
    async push(name, options = {}) {
      const record = findImage(name, needParts());
      const config = await readConfig(record);
      return await pushStored(
        { record, config, archive: (signal) => asArchived(record, [], signal, { leaveAway: true }) },
        name,
        needParts(),
        options,
      );
    },
    remoteTags: async (name, options = {}) => await needParts().registry.listTags(parseReference(name), options),
  };
}

/** An image that a container was made from goes with force alone, and not while one runs. Messages are Docker's. */
function refuseUsed(
  parts: Parts,
  { id }: ImageRecord,
  { name, named, force }: { readonly name: string; readonly named: boolean; readonly force: boolean },
): void {
  const users = findImageUsers(parts, id);
  const running = users.find(isContainerUp);
  const user = running ?? users[0];
  if (user === undefined || (force && running === undefined)) return;
  const [image, container] = [id.slice("sha256:".length, "sha256:".length + 12), user.id.slice(0, 12)];
  if (named && !force) {
    throw new VarveError(
      "IMAGE_IN_USE",
      `conflict: unable to remove repository reference "${name}" (must force) - container ${container} is using its referenced image ${image}`,
    );
  }
  const [how, what] = running === undefined ? ["must be forced", "stopped"] : ["cannot be forced", "running"];
  throw new VarveError(
    "IMAGE_IN_USE",
    `conflict: unable to delete ${image} (${how}) - image is being used by ${what} container ${container}`,
  );
}

/** By name (`latest` where no tag is given), by `name@digest`, by ID, or by the beginning of an ID. */
export function findImage(name: string, { images }: Pick<Parts, "images">): ImageRecord {
  if (isReference(name)) {
    const reference = parseReference(name);
    const found = reference.digest
      ? images.byDigest(canonicalName(reference), reference.digest)
      : images.byName(formatReference(withDefaultTag(reference)));
    if (found) return found;
  }
  const hex = name.startsWith("sha256:") ? name.slice("sha256:".length) : name;
  const found = /^[0-9a-f]{2,64}$/.test(hex) ? images.byIdPrefix(hex) : [];
  if (found.length > 1) throw new VarveError("IMAGE_AMBIGUOUS", `the ID ${name} fits ${found.length} images`);
  if (!found[0])
    throw new VarveError(
      "IMAGE_NOT_FOUND",
      `No such image: ${isReference(name) ? familiarReference(withDefaultTag(parseReference(name))) : name}`,
    );
  return found[0];
}

function parseTarget(target: string): ReturnType<typeof parseReference> {
  const reference = parseReference(target);
  if (reference.digest) throw new VarveError("REFERENCE_INVALID", "refusing to create a tag with a digest reference");
  return reference;
}

function summarize(record: ImageRecord, config: ImageConfig): ImageSummary {
  return {
    id: record.id,
    names: record.names.map((name) => familiarReference(parseReference(name))),
    digests: record.digests.map((text) => {
      const [repository = "", digest = ""] = text.split("@");
      return `${familiarName(parseReference(repository))}@${digest}`;
    }),
    createdMs: record.createdMs,
    sizeBytes: record.sizeBytes,
    labels: config.config?.Labels ?? {},
  };
}

function describe(record: ImageRecord, config: ImageConfig, { snapshots, blobs }: Parts): ImageDetails {
  let layer = 0;
  const history = (config.history ?? []).map((entry) => {
    if (entry.empty_layer) return { ...entry, sizeBytes: 0 };
    const index = layer++;
    const diffId = config.rootfs.diff_ids[index];
    const unpacked = snapshots.get(record.layers?.[index] ?? -1)?.diffSize;
    return { ...entry, sizeBytes: unpacked ?? (diffId ? blobs.of(diffId)[0]?.size : undefined) ?? 0 };
  });
  const { os, architecture, variant } = config;
  const platform = normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
  return { ...summarize(record, config), config, platform, history: history.reverse() };
}
