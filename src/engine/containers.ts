import { openContainers, type ContainersRoom, type FindImageOptions, type FoundImage } from "../containers/index.ts";
import { isVarveError, VarveError } from "../errors/index.ts";
import {
  canonicalName,
  formatPlatform,
  hostPlatform,
  isReference,
  normalizePlatform,
  parseImageConfig,
  parsePlatform,
  parseReference,
  withDefaultTag,
  type ImageConfig,
} from "../oci/index.ts";
import { removeTask } from "../ops/index.ts";
import { modulePath } from "../package/index.ts";
import { createImages, findImage } from "./images.ts";
import type { Settings } from "./open-varve.ts";
import type { Parts } from "./parts.ts";
import { openStoreNetworks, openStoreVolumes } from "./store-networks.ts";

const maxConfigBytes = 8 * 1024 * 1024;

/** The containers of a store, made of its parts. */
export function openStoreContainers(parts: Parts, settings: Settings): ContainersRoom {
  const { root, state, leases, snapshots, path, worker } = parts;
  const { configPath, dockerConfigDir, runtime } = settings;
  return openContainers({
    root,
    state,
    leases,
    snapshots,
    networks: openStoreNetworks(parts),
    volumes: openStoreVolumes(parts),
    path,
    runtime,
    worker,
    keepImage: async (image) => await (await import("./commit-image.ts")).commitImage(parts, image),
    findImage: async (name, options) => await findForContainer(parts, name, options),
    async removeFolders(paths) {
      if (process.getuid?.() !== 0) return await worker.call(removeTask, { paths }, { signal: new AbortController().signal });
      const { rm } = await import("node:fs/promises");
      for (const folder of paths) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
    helperCommand: [
      process.execPath,
      "--disable-warning=ExperimentalWarning",
      modulePath("engine/container-entry"),
      JSON.stringify({ root, configPath, dockerConfigDir, path, runtime, proxyEnv: {} }),
    ],
  });
}

/** An image of the store, or of its registry where `pull` says so, unpacked. */
async function findForContainer(
  parts: Parts,
  name: string,
  { platform, pull, onPull, signal }: FindImageOptions,
): Promise<FoundImage> {
  const wanted = platform === undefined ? undefined : parsePlatform(platform, { host: hostPlatform(process.arch) });
  const found = pull === "always" ? undefined : await findStored(parts, name, wanted);
  if (found === undefined) {
    const shown = isReference(name) ? familiar(name) : name;
    if (pull === "never") throw new VarveError("IMAGE_NOT_FOUND", `No such image: ${shown}`);
    if (pull === "missing") onPull?.({ text: `Unable to find image '${shown}' locally` });
    await pullAloud(parts, name, { platform, onPull, signal });
  }
  const record = findImage(name, parts);
  const config = await readConfig(parts, record.id);
  const stack = await parts.imageSource.unpackRecord(record, config, { signal });
  return { id: record.id, config, platform: platformOf(config), layers: stack.layers };
}

async function findStored(
  parts: Parts,
  name: string,
  wanted: ReturnType<typeof parsePlatform> | undefined,
): Promise<ImageConfig | undefined> {
  try {
    const config = await readConfig(parts, findImage(name, parts).id);
    const fits = wanted === undefined || formatPlatform(wanted) === formatPlatform(platformOf(config));
    return fits ? config : undefined;
  } catch (error) {
    if (isVarveError(error) && error.code === "IMAGE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** Pulls an image and says so as `docker pull` does. */
async function pullAloud(
  parts: Parts,
  name: string,
  { platform, onPull, signal }: Pick<FindImageOptions, "platform" | "onPull" | "signal">,
): Promise<void> {
  const reference = withDefaultTag(parseReference(name));
  const what = reference.tag ?? reference.digest ?? "latest";
  onPull?.({ text: `${what}: Pulling from ${reference.path}` });
  const { digest, changed } = await createImages(() => parts).pull(name, {
    signal,
    ...(platform === undefined ? {} : { platform }),
  });
  onPull?.({ text: `Digest: ${digest}` });
  onPull?.({ text: `Status: ${changed ? "Downloaded newer image" : "Image is up to date"} for ${familiar(name)}` });
}

function familiar(name: string): string {
  const reference = withDefaultTag(parseReference(name));
  const path = canonicalName(reference).replace(/^docker\.io\/(library\/)?/, "");
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  return `${path}${tag}${reference.digest === undefined ? "" : `@${reference.digest}`}`;
}

async function readConfig({ content }: Parts, id: Parameters<Parts["content"]["readAll"]>[0]): Promise<ImageConfig> {
  return parseImageConfig(await content.readAll(id, { maxBytes: maxConfigBytes }));
}

function platformOf({ os, architecture, variant }: ImageConfig): FoundImage["platform"] {
  return normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}
