import { findImageUsers } from "../containers/index.ts";
import type { ImageRecord } from "../images/index.ts";
import {
  familiarReference,
  formatPlatform,
  parseImageConfig,
  parseReference,
  platformOfSpec,
  type Digest,
} from "../oci/index.ts";
import { readMembers, type ImageMember } from "./image-members.ts";
import type { ImageOfPlatform, ImageTree, ImageUsage } from "./image-tree-types.ts";
import type { Parts } from "./parts.ts";

/** A config is a document; a larger one is none (bytes). */
const maxConfigBytes = 8 * 1024 * 1024;

/** Everything that an image is made of here: blobs by their digests, snapshots by their ids. */
interface Things {
  readonly blobs: Set<Digest>;
  readonly snapshots: Set<number>;
}

/** All images of the store with their platforms, newest first. Images that only an index names are shown below it alone. */
export async function listTrees(parts: Parts): Promise<readonly ImageTree[]> {
  const { images } = parts;
  const trees: ImageTree[] = [];
  const below = new Set<Digest>();
  for (const record of images.list()) {
    const byIndex = Map.groupBy(record.names, (name) => images.indexOf(name)?.digest);
    const plain = [...(byIndex.get(undefined) ?? [])];
    for (const [digest, names] of byIndex) {
      const members = digest === undefined ? undefined : await readMembers(digest, parts);
      if (digest === undefined || members === undefined) {
        if (digest !== undefined) plain.push(...names);
        continue;
      }
      for (const { id } of members) below.add(id);
      trees.push(await indexTree(digest, record, names, members, parts));
    }
    if (plain.length > 0 || record.names.length === 0) trees.push(await plainTree(record, plain, parts));
  }
  return trees.filter(({ names, id }) => names.length > 0 || !below.has(id));
}

async function indexTree(
  digest: Digest,
  record: ImageRecord,
  names: readonly string[],
  members: readonly ImageMember[],
  parts: Parts,
): Promise<ImageTree> {
  const all: Things = { blobs: new Set([digest]), snapshots: new Set() };
  const platforms: ImageOfPlatform[] = [];
  for (const { id, platform, descriptor, manifest } of members) {
    const own: Things = {
      blobs: new Set([descriptor.digest, id, ...manifest.layers.map((layer) => layer.digest)]),
      snapshots: new Set(parts.images.get(id)?.layers ?? []),
    };
    for (const blob of own.blobs) all.blobs.add(blob);
    for (const snapshot of own.snapshots) all.snapshots.add(snapshot);
    platforms.push({ id, platform, usage: await measure(own, [id], parts) });
  }
  const ids = members.map(({ id }) => id);
  return { id: digest, image: record.id, names: familiar(names), usage: await measure(all, ids, parts), platforms };
}

async function plainTree(record: ImageRecord, names: readonly string[], parts: Parts): Promise<ImageTree> {
  const { id, manifest, layers = [], digests } = record;
  const config = parseImageConfig(await parts.content.readAll(id, { maxBytes: maxConfigBytes }));
  const documents = digests.map((name) => name.slice(name.indexOf("@") + 1) as Digest);
  const blobs = manifest?.layers ?? config.rootfs.diff_ids.flatMap((diffId) => parts.blobs.of(diffId));
  const things = { blobs: new Set([id, ...documents, ...blobs.map(({ digest }) => digest)]), snapshots: new Set(layers) };
  const usage = await measure(things, [id], parts);
  const platform = formatPlatform(platformOfSpec(config));
  return { id, image: id, names: familiar(names), usage, platforms: [{ id, platform, usage }] };
}

async function measure({ blobs, snapshots }: Things, ids: readonly Digest[], parts: Parts): Promise<ImageUsage> {
  let contentBytes = 0;
  for (const digest of blobs) contentBytes += (await parts.content.stat(digest))?.size ?? 0;
  const away = new Set(parts.snapshots.awayAmong([...snapshots]).map(({ id }) => id));
  let diskBytes = contentBytes;
  for (const id of snapshots) if (!away.has(id)) diskBytes += parts.snapshots.get(id)?.diffSize ?? 0;
  return { contentBytes, diskBytes, inUse: ids.some((id) => findImageUsers(parts, id).length > 0) };
}

function familiar(names: readonly string[]): readonly string[] {
  return names.map((name) => familiarReference(parseReference(name)));
}
