import { VarveError } from "../errors/index.ts";
import { blobLayers, identifyLayers } from "../exporters/index.ts";
import { readCheckout, type BuildRecord } from "../history/index.ts";
import { decompress } from "../layers/index.ts";
import { parseImageConfig, type Digest, type ImageConfig } from "../oci/index.ts";
import { compareConfigs } from "./compare-configs.ts";
import { compareLayers } from "./compare-layers.ts";
import { readMembers } from "./image-members.ts";
import type { Parts } from "./parts.ts";
import { rebuildOptions } from "./rebuild-options.ts";
import type { BuildOptions, BuildRun } from "./types.ts";
import type { Difference, Verification, VerifyOptions } from "./verify-types.ts";

const maxConfigBytes = 8 * 1024 * 1024;

/** An image of a build: one, or of several platforms each. */
interface Made {
  /** Absent where there is one alone. */
  readonly platform?: string;
  readonly id: Digest;
}

/**
 * Builds an image, or all those of an index, again from the record of its build and compares the bytes. The second build uses nothing of
 * the cache and takes its place there, as any build with `noCache`; the images it makes are removed again.
 */
export async function verifyImage(
  parts: Parts,
  id: Digest,
  options: VerifyOptions & { readonly signal: AbortSignal },
  build: (options: BuildOptions) => BuildRun,
): Promise<Verification> {
  const { images, history, leases } = parts;
  const { signal, maxDifferences = 1000 } = options;
  const before = await listImages(parts, id, signal);
  const record = await findRecord(history, id, options.record);
  const notes = notesOf(record, options);
  using _used = leases.hold();
  for (const each of before) parts.snapshots.claim(images.get(each.id)?.layers ?? []);
  const run = build({ ...rebuildOptions(record, options), signal });
  for await (const event of run) options.onEvent?.(event);
  const { imageId: rebuilt, ref: rebuiltRef } = await run;
  if (rebuilt === undefined) throw new VarveError("REBUILD_IMPOSSIBLE", `the build ${record.ref} makes no image`);
  const after = await listImages(parts, rebuilt, signal);
  try {
    const differences: Difference[] = [];
    let layers = 0;
    for (const image of before) {
      const { platform } = image;
      const other = after.find((each) => each.platform === platform);
      const marked = platform === undefined ? {} : { platform };
      layers += (await readConfig(parts, image.id)).rootfs.diff_ids.length;
      if (other === undefined) differences.push({ ...marked, field: "image", image: image.id });
      else differences.push(...(await compareImages(parts, image.id, other.id, signal)).map((each) => ({ ...marked, ...each })));
    }
    for (const { platform, id: extra } of after)
      if (!before.some((each) => each.platform === platform))
        differences.push({ ...(platform === undefined ? {} : { platform }), field: "image", rebuilt: extra });
    const platforms = before.flatMap(({ platform }) => platform ?? []);
    return {
      image: id,
      rebuilt,
      ref: record.ref,
      rebuiltRef,
      ...(platforms.length === 0 ? {} : { platforms }),
      agrees: differences.length === 0,
      layers,
      differences: differences.slice(0, maxDifferences),
      total: differences.length,
      notes: differences.length === 0 ? [] : notes,
    };
  } finally {
    for (const made of after)
      if (!before.some((each) => each.id === made.id) && images.get(made.id)?.names.length === 0) images.delete(made.id);
  }
}

async function listImages(parts: Parts, id: Digest, signal: AbortSignal): Promise<readonly Made[]> {
  if (parts.images.get(id) !== undefined) return [{ id }];
  const members = (await parts.content.has(id)) ? await readMembers(id, parts, { signal }) : undefined;
  if (members === undefined) throw new VarveError("IMAGE_NOT_FOUND", `No such image: ${id}`);
  return members;
}

async function compareImages(parts: Parts, image: Digest, rebuilt: Digest, signal: AbortSignal): Promise<readonly Difference[]> {
  if (image === rebuilt) return [];
  const [config, other] = [await readConfig(parts, image), await readConfig(parts, rebuilt)];
  const [before, after] = [parts.images.get(image)?.layers, parts.images.get(rebuilt)?.layers];
  const differences = [...compareConfigs(config, other)];
  const steps = (config.history ?? []).filter((entry) => entry.empty_layer !== true);
  for (let index = 0; index < Math.min(config.rootfs.diff_ids.length, other.rootfs.diff_ids.length); index++) {
    if (config.rootfs.diff_ids[index] === other.rootfs.diff_ids[index]) continue;
    const found = await compareLayers(
      await openLayer(parts, before, config, index, signal),
      await openLayer(parts, after, other, index, signal),
    );
    const step = steps[index]?.created_by;
    differences.push(...found.map((each): Difference => ({ layer: index, ...(step === undefined ? {} : { step }), ...each })));
  }
  return differences;
}

async function readConfig({ content }: Parts, id: Digest): Promise<ImageConfig> {
  return parseImageConfig(await content.readAll(id, { maxBytes: maxConfigBytes }));
}

async function findRecord(history: Parts["history"], id: Digest, name: string | undefined): Promise<BuildRecord> {
  if (name !== undefined) return await history.get(name);
  const found = (await history.list()).find(({ status, result }) => status === "completed" && result?.imageId === id);
  if (found !== undefined) return found;
  throw new VarveError("HISTORY_NOT_FOUND", `no build that is recorded here made ${id}`, {
    hint: "images that were pulled or loaded have no record; varve history ls lists the builds, and --record names one",
  });
}

function notesOf({ options, vcs }: BuildRecord, { context }: VerifyOptions): readonly string[] {
  const folder = context === undefined ? options.context : context.kind === "folder" ? context.path : "";
  if (!folder.startsWith("/") || vcs?.revision === undefined) return [];
  const now = readCheckout(folder)?.revision;
  return now === vcs.revision ? [] : [`the context was at commit ${vcs.revision} and is at ${now ?? "none"}`];
}

/** A layer's tar: from a blob that is there, else packed of its snapshot. */
async function openLayer(
  parts: Parts,
  layers: readonly number[] = [],
  config: ImageConfig,
  index: number,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const diffId = config.rootfs.diff_ids[index];
  if (diffId === undefined) throw new VarveError("INTERNAL", "an image has fewer layers than were counted");
  for (const { digest } of parts.blobs.of(diffId))
    if (await parts.content.has(digest)) return (await decompress(parts.content.open(digest, { signal }), { signal })).content;
  const stack = { kind: "stack" as const, layers: layers.slice(0, index + 1) };
  const identified = await identifyLayers(stack, parts, signal);
  const blob = (await blobLayers(stack, identified, "uncompressed", parts, { signal }))[index];
  if (blob === undefined) throw new VarveError("IMAGE_NOT_FOUND", `the layer ${diffId} is neither unpacked nor a blob here`);
  return (await decompress(parts.content.open(blob.digest, { signal }), { signal })).content;
}
