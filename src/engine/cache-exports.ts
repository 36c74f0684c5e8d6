import { resolve } from "node:path";
import {
  collectPositions,
  collectResults,
  createFolderTarget,
  createRegistryTarget,
  encodeInlineCache,
  exportCache,
  inlineCacheMember,
  recompressLayer,
  type CacheExport,
  type CacheImports,
  type CacheLayer,
  type CacheTarget,
  type CollectOptions,
} from "../cache-transfer/index.ts";
import { blobLayers, identifyLayers } from "../exporters/index.ts";
import { parseReference, withDefaultTag, type Descriptor, type Digest, type ImageConfig } from "../oci/index.ts";
import type { StackRef } from "../snapshots/index.ts";
import type { SolvedVertex } from "../solver/index.ts";
import { packCarried } from "./carried-mounts.ts";
import type { Reporting } from "./compile-input.ts";
import { internalStep, type ReportStatus } from "./internal-step.ts";
import type { Parts } from "./parts.ts";

type PlacedExport = Exclude<CacheExport, { readonly type: "inline" }>;

/** What a build made, as far as caches are concerned. */
export interface SolvedBuild {
  readonly vertices: readonly SolvedVertex[];
  /** The results, one for each platform. */
  readonly stacks: readonly StackRef[];
  readonly imports: CacheImports | undefined;
  readonly signal: AbortSignal;
}

/**
 * Writes a build's cache to each place that was asked for. A failure is a warning, as the build itself succeeded, unless
 * `ignore-error=false` says otherwise. The manifest of the last cache that was written, if any (Q14).
 */
export async function exportCaches(
  exports: readonly CacheExport[],
  build: SolvedBuild,
  parts: Parts,
  { emit, warn }: Reporting,
): Promise<Descriptor | undefined> {
  let manifest: Descriptor | undefined;
  const placed = exports.filter((each): each is PlacedExport => each.type !== "inline");
  for (const each of placed) {
    const title = titleOf(each, placed);
    try {
      await using mounts = await packCarried(each.mounts, parts, { emit, signal: build.signal });
      manifest =
        (await internalStep(title, emit, (status) => exportTo(each, build, parts, { status, mounts: mounts.descriptors }))) ??
        manifest;
    } catch (error) {
      build.signal.throwIfAborted();
      if (each.ignoreError === false) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      warn({
        rule: "CacheExportFailed",
        message: `${title} failed: ${reason}`,
        description: "The image is built; only its cache was not written. ignore-error=false makes this fail the build",
      });
    }
  }
  return manifest;
}

/** As BuildKit names these steps; with the place where there are several of a kind. */
function titleOf(each: PlacedExport, all: readonly PlacedExport[]): string {
  const title = each.type === "registry" ? "exporting cache to registry" : "exporting cache to client directory";
  const place = each.type === "registry" ? each.ref : each.dest;
  return all.filter(({ type }) => type === each.type).length > 1 ? `${title} ${place}` : title;
}

async function exportTo(
  each: PlacedExport,
  { vertices, stacks, imports, signal }: SolvedBuild,
  parts: Parts,
  { status, mounts }: { readonly status: ReportStatus; readonly mounts: readonly Descriptor[] },
): Promise<Descriptor | undefined> {
  const target = targetOf(each, parts);
  status("preparing build cache for export", 0, 0, false);
  const pack = createPacker(each, parts, signal);
  const found: CollectOptions = { vertices, targets: stacks, cache: parts.cache, imports };
  const results = await collectResults({ ...found, mode: each.mode ?? "min", pack });
  const wanted = each.forceCompression === true ? await recompress(results, each, parts, signal) : results;
  status("preparing build cache for export", 0, 0, true);
  const ociMediaTypes = each.ociMediaTypes ?? true;
  const descriptor = await exportCache({
    vertices,
    results: wanted,
    target,
    imageManifest: each.imageManifest ?? ociMediaTypes,
    ociMediaTypes,
    extras: mounts.map((mount) => ({ descriptor: mount, open: () => parts.content.open(mount.digest, { signal }) })),
    signal,
    onStatus: (id, done) => status(id, 0, 0, done),
  });
  if (descriptor === undefined) status("skipping cache export for empty result", 0, 0, true);
  return descriptor;
}

function targetOf(each: PlacedExport, { registry, insecureRegistry }: Parts): CacheTarget {
  if (each.type === "local")
    return createFolderTarget(resolve(each.dest), { tag: each.tag ?? "latest", reset: each.reset === true });
  const reference = withDefaultTag(parseReference(each.ref));
  return createRegistryTarget(each.insecure === true ? insecureRegistry(reference.domain) : registry, reference);
}

/** Makes the layers of stacks, each once. */
function createPacker(
  { compression = "gzip", compressionLevel: level }: PlacedExport,
  parts: Parts,
  signal: AbortSignal,
): (stack: StackRef) => Promise<readonly CacheLayer[]> {
  const packed = new Map<number, CacheLayer>();
  return async (stack) => {
    const facts = await identifyLayers(stack, parts, signal);
    const missing = stack.layers.map((id, index) => ({ id, fact: facts[index] })).filter(({ id }) => !packed.has(id));
    const ids: StackRef = { kind: "stack", layers: missing.map(({ id }) => id) };
    const wanted = missing.flatMap(({ fact }) => fact ?? []);
    const blobs = await blobLayers(ids, wanted, compression, parts, { signal, level });
    for (const [index, blob] of blobs.entries()) {
      const { id, fact } = missing[index] ?? {};
      if (id === undefined || fact === undefined) continue;
      packed.set(id, { blob, diffId: fact.diffId, open: (options) => parts.content.open(blob.digest, options) });
    }
    return stack.layers.map((id) => packed.get(id) as CacheLayer);
  };
}

async function recompress(
  results: ReadonlyMap<string, readonly CacheLayer[]>,
  each: PlacedExport,
  { content }: Parts,
  signal: AbortSignal,
): Promise<Map<string, readonly CacheLayer[]>> {
  const made = new Map<Digest, Promise<CacheLayer>>();
  const remake = (layer: CacheLayer): Promise<CacheLayer> => {
    const { digest } = layer.blob;
    const remade = made.get(digest) ?? recompressLayer(layer, each, { content, signal });
    made.set(digest, remade);
    return remade;
  };
  const all = new Map<string, readonly CacheLayer[]>();
  for (const [key, layers] of results) {
    const chain: CacheLayer[] = [];
    for (const layer of layers) chain.push(await remake(layer));
    all.set(key, chain);
  }
  return all;
}

/** An image's config with the build's cache in it (Q01): of steps whose layers are the image's. */
export async function withInlineCache(
  { config, stack }: { readonly config: ImageConfig; readonly stack: StackRef },
  { vertices, imports, signal }: Omit<SolvedBuild, "stacks">,
  parts: Parts,
): Promise<ImageConfig> {
  if (stack.layers.length === 0) return config;
  const facts = await identifyLayers(stack, parts, signal);
  const diffIds = facts.map(({ diffId }) => diffId);
  const positions = await collectPositions({ vertices, target: stack, cache: parts.cache, imports, diffIds });
  return { ...config, [inlineCacheMember]: encodeInlineCache(vertices, (key) => positions.get(key)) };
}
