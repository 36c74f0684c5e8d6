import { rm } from "node:fs/promises";
import type { NewImage } from "../containers/index.ts";
import { parseDockerfile, type Instruction } from "../dockerfile/index.ts";
import { VarveError } from "../errors/index.ts";
import { compileDockerfile } from "../frontend/index.ts";
import { applyTask, packTask } from "../layers/index.ts";
import {
  chainIds,
  formatReference,
  hostPlatform,
  normalizePlatform,
  parseImageConfig,
  parseReference,
  serializeConfig,
  sha256,
  withDefaultTag,
  type ContainerConfig,
  type Digest,
  type HistoryEntry,
  type ImageConfig,
} from "../oci/index.ts";
import type { Parts } from "./parts.ts";

const maxConfigBytes = 8 * 1024 * 1024;

/** What `docker commit` and `docker import` take as changes. */
const changeable: ReadonlySet<Instruction["kind"]> = new Set<Instruction["kind"]>([
  "cmd",
  "entrypoint",
  "env",
  "expose",
  "healthcheck",
  "label",
  "onbuild",
  "stopsignal",
  "user",
  "volume",
  "workdir",
]);

/** Makes an image of what a container wrote, and returns its ID. */
export async function commitImage(parts: Parts, image: NewImage): Promise<Digest> {
  const { author, message, changes = [], layers, createdBy, signal } = image;
  const name = image.name === undefined ? undefined : readImageName(image.name);
  using _used = parts.leases.hold();
  const base = parseImageConfig(await parts.content.readAll(image.imageId, { maxBytes: maxConfigBytes }));
  const Volumes = { ...base.config?.Volumes, ...image.config.Volumes };
  const own = { ...image.config, ...(Object.keys(Volumes).length === 0 ? {} : { Volumes }) };
  const config = await changeConfig(own, changes, { signal });
  const layer = await keepLayer(parts, image, base);
  const created = new Date().toISOString();
  const entry: HistoryEntry = {
    created,
    ...(createdBy === "" ? {} : { created_by: createdBy }),
    ...(author === undefined || author === "" ? {} : { author }),
    ...(message === undefined || message === "" ? {} : { comment: message }),
  };
  const { author: _author, config: _config, history = [], "moby.buildkit.cache.v0": _cache, ...kept } = base;
  return await keepImage(parts, {
    config: {
      ...kept,
      created,
      ...(author === undefined || author === "" ? {} : { author }),
      config,
      rootfs: { type: "layers", diff_ids: [...base.rootfs.diff_ids, layer.diffId] },
      history: [...history, entry],
    },
    layers: [...layers, layer.snapshot],
    name,
    signal,
  });
}

/** Puts an image whose layers are snapshots into the image store. */
export async function keepImage(
  { content, images, snapshots }: Parts,
  image: {
    readonly config: ImageConfig;
    readonly layers: readonly number[];
    readonly name: string | undefined;
    readonly signal: AbortSignal;
  },
): Promise<Digest> {
  const { config, layers, name, signal } = image;
  const { digest } = await content.writeBytes(serializeConfig(config), { signal });
  images.put({ id: digest, layers, sizeBytes: layers.reduce((sum, layer) => sum + (snapshots.get(layer)?.diffSize ?? 0), 0) });
  if (name !== undefined) images.setName(name, digest);
  return digest;
}

/** Copies what an overlay's upper folder changed into a snapshot of its own, by way of the tar that makes it a layer. */
async function keepLayer(
  { content, snapshots, worker }: Parts,
  { upper, leaveOut, layers, signal }: NewImage,
  base: ImageConfig,
): Promise<{ readonly diffId: Digest; readonly snapshot: number }> {
  if (!snapshots.claim(layers)) throw new VarveError("IMAGE_INCOMPLETE", "the layers of the container's image are missing");
  const path = content.ingestPath();
  const lowers = snapshots.fsPaths(layers);
  const active = snapshots.create(layers);
  try {
    const { diffId, diffSize } = await worker.call(
      packTask,
      { snapshot: [upper], lowers, compression: "uncompressed", path, leaveOut },
      { signal },
    );
    await worker.call(applyTask, { blob: path, digest: diffId, diffId, lowers, snapshot: active.path }, { signal });
    const snapshot = active.commit().id;
    const chainId = chainIds([...base.rootfs.diff_ids, diffId]).at(-1) ?? diffId;
    // its blob is made again where it is wanted
    snapshots.setLayer(snapshot, { chainId, diffId, diffSize });
    return { diffId, snapshot };
  } catch (error) {
    active.discard();
    throw error;
  } finally {
    await rm(path, { force: true });
  }
}

/** The canonical name, with a tag. Only tags can be given. */
export function readImageName(text: string): string {
  const reference = parseReference(text);
  if (reference.digest) throw new VarveError("REFERENCE_INVALID", "refusing to create a tag with a digest reference");
  return formatReference(withDefaultTag(reference));
}

/** An image's defaults after instructions of a Dockerfile, each text of which may hold several. Others are CONTAINER_INVALID, with Docker's words. */
export async function changeConfig(
  config: ContainerConfig,
  changes: readonly string[],
  { signal }: { readonly signal: AbortSignal },
): Promise<ContainerConfig> {
  if (changes.length === 0) return config;
  for (const change of changes) {
    const keyword = /^\s*([A-Za-z]+)/.exec(change)?.[1] ?? change.trim();
    if (!changeable.has(keyword.toLowerCase() as Instruction["kind"]))
      throw new VarveError("CONTAINER_INVALID", `${keyword.toUpperCase()} is not a valid change command`);
  }
  const text = new TextEncoder().encode(`FROM container\n${changes.join("\n")}\n`);
  const { dockerfile } = parseDockerfile(text, { file: "changes", check: false });
  const platform = normalizePlatform(hostPlatform(process.arch));
  const base: ImageConfig = { ...platform, config: structuredClone(config), rootfs: { type: "layers", diff_ids: [] } };
  const { image } = await compileDockerfile(
    dockerfile,
    {
      buildPlatform: platform,
      resolveImage: async (reference) => await Promise.resolve({ reference, digest: sha256("container"), config: base }),
    },
    { signal },
  );
  const hadPath = (env: readonly string[] | undefined): boolean => env?.some((entry) => entry.startsWith("PATH=")) === true;
  const { ArgsEscaped: _escaped, ...changed } = image.config ?? {};
  // builds give an image a PATH that has none
  const asked = hadPath(config.Env) || changes.some((change) => /\bPATH\b/.test(change));
  const env = changed.Env?.filter((entry) => asked || !entry.startsWith("PATH="));
  return { ...changed, ...(env === undefined ? {} : { Env: env }) };
}
