import type { ContentStore } from "../content/index.ts";
import { VarveError } from "../errors/index.ts";
import { limiter, singleFlight } from "../flow/index.ts";
import type { BlobPlaces } from "../images/index.ts";
import { applyTask, type LayerBlobs } from "../layers/index.ts";
import { chainIds, familiarReference, type Descriptor, type Digest, type ImageConfig, type Manifest } from "../oci/index.ts";
import type { SnapshotStore, StackRef } from "../snapshots/index.ts";
import type { Worker } from "../worker/index.ts";
import { fetchBlob } from "./fetch-blob.ts";
import type { ImageOrigin, ResolvedImage, UseOptions } from "./image-types.ts";

export interface UnpackOptions {
  readonly content: ContentStore;
  readonly blobs: LayerBlobs;
  readonly snapshots: SnapshotStore;
  readonly worker: Worker;
  /** The registry client, and where what comes from it is remembered. */
  readonly registry: ImageOrigin;
  readonly blobPlaces: Pick<BlobPlaces, "add">;
}

/** What is needed of an image to unpack it. */
export interface LayeredRoot extends Pick<ResolvedImage, "reference" | "origin" | "layers"> {
  readonly config: { readonly rootfs: Pick<ImageConfig["rootfs"], "diff_ids"> };
  /** Undefined where all layers are in the store. */
  readonly manifest: Pick<Manifest, "layers"> | undefined;
}

/** Gets the layers of images, each once however many ask for it at the same time. */
export interface ImageUnpacker {
  /** The image's root as a stack; downloads and unpacks what the store lacks. */
  unpack(image: LayeredRoot, options: UseOptions): Promise<StackRef>;
  /** Downloads all layers, without unpacking them. */
  download(image: ResolvedImage, options: UseOptions): Promise<void>;
}

/** Layers that are downloaded at the same time. */
const downloadLanes = 3;

export function createImageUnpacker(options: UnpackOptions): ImageUnpacker {
  const { content, snapshots, blobs, worker } = options;
  const unpacking = singleFlight<string, number>();
  const downloading = singleFlight<string, void>();
  const lanes = limiter(downloadLanes);
  const origins = new WeakMap<ImageOrigin, number>();
  let lastOrigin = 0;

  /** Names a download: another place that fails to give the same blob must not make this one fail. */
  function flightOf({ origin, reference }: LayeredRoot, digest: Digest): string {
    const number = origins.get(origin) ?? (lastOrigin += 1);
    origins.set(origin, number);
    return `${number} ${reference.domain}/${reference.path} ${digest}`;
  }

  async function ensureBlob(image: LayeredRoot, index: number, { signal, onStatus }: UseOptions): Promise<Descriptor> {
    const diffId = image.config.rootfs.diff_ids[index];
    const descriptor = image.manifest?.layers[index];
    const known = diffId ? blobs.of(diffId) : [];
    for (const blob of known) if (await content.has(blob.digest)) return blob;
    if (!descriptor || !diffId)
      throw new VarveError("IMAGE_INCOMPLETE", `a layer of ${familiarReference(image.reference)} is missing in the store`);
    const { digest, size } = descriptor;
    if (!(await content.has(digest))) {
      await downloading.run(
        flightOf(image, digest),
        (flightSignal) =>
          lanes.run(async () => {
            const onProgress = (current: number) => onStatus?.({ id: digest, current, total: size, done: current === size });
            await fetchBlob(image, descriptor, { content, signal: flightSignal, onProgress });
            if (image.origin === options.registry) options.blobPlaces.add([digest], image.reference);
          }),
        { signal },
      );
    }
    return descriptor;
  }

  async function unpackLayer(
    image: LayeredRoot,
    index: number,
    chain: Digest,
    base: readonly number[],
    blob: Descriptor,
    use: UseOptions,
  ): Promise<number> {
    const diffId = image.config.rootfs.diff_ids[index] as Digest;
    return unpacking.run(
      `${chain} ${blob.digest}`,
      async (signal) => {
        const known = snapshots.findByChain(chain);
        if (known) return known.id;
        const active = snapshots.create(base);
        const lowers = snapshots.fsPaths(base);
        const id = `extracting ${blob.digest}`;
        const onEvent = ({ current }: { readonly current: number }) =>
          use.onStatus?.({ id, current, total: blob.size, done: current === blob.size });
        const params = { blob: content.pathOf(blob.digest), digest: blob.digest, diffId, lowers, snapshot: active.path };
        const { bytes } = await worker.call(applyTask, params, { signal, onEvent });
        blobs.add(diffId, blob);
        return active.commit({ chainId: chain, diffId, diffSize: bytes }).id;
      },
      { signal: use.signal },
    );
  }

  return {
    async unpack(image, use) {
      if (image.layers && snapshots.claim(image.layers)) return { kind: "stack", layers: image.layers };
      const chains = chainIds(image.config.rootfs.diff_ids);
      const layers: number[] = [];
      for (const chain of chains) {
        const found = snapshots.findByChain(chain);
        if (!found) break;
        layers.push(found.id);
      }
      const present = layers.length;
      const missing = chains.slice(present).map((chain, offset) => ({ chain, index: present + offset }));
      const downloads = missing.map(({ index }) => ensureBlob(image, index, use));
      // one that fails is told in its turn, or not at all after another's failure
      for (const download of downloads) download.catch(() => undefined);
      try {
        for (const [position, { chain, index }] of missing.entries()) {
          const blob = await (downloads[position] as Promise<Descriptor>);
          layers.push(await unpackLayer(image, index, chain, [...layers], blob, use));
        }
      } finally {
        await Promise.allSettled(downloads);
      }
      return { kind: "stack", layers };
    },
    async download(image, use) {
      await Promise.all(image.config.rootfs.diff_ids.map((_, index) => ensureBlob(image, index, use)));
    },
  };
}
