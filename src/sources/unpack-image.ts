import type { ContentStore } from "../content/index.ts";
import { isVarveError, VarveError } from "../errors/index.ts";
import { limiter, singleFlight } from "../flow/index.ts";
import type { BlobPlaces, ImageStore } from "../images/index.ts";
import { applyTask, type LayerBlobs } from "../layers/index.ts";
import {
  canonicalName,
  chainIds,
  familiarReference,
  parseReference,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type ImageReference,
  type Manifest,
} from "../oci/index.ts";
import type { ActiveSnapshot, AwayLayer, SnapshotStore, StackRef } from "../snapshots/index.ts";
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
  /** Told when the size of a layer of its images becomes known. */
  readonly images: Pick<ImageStore, "resizeLayer">;
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
  /** The image's root as a stack whose files may not be here: what the store lacks of a registry's image stays there. */
  stackOf(image: LayeredRoot, options: UseOptions): Promise<StackRef>;
  /**
   * Downloads and unpacks what is not here of these snapshots' files. Fails with IMAGE_INCOMPLETE where a registry does not give any
   * more what was left with it.
   */
  bring(ids: readonly number[], options: UseOptions): Promise<void>;
  /** Downloads the blob of a layer that was left in a registry; nothing where it is here, or is not such a one. Fails as `bring`. */
  fetchLayer(digest: Digest, options: UseOptions): Promise<void>;
  /** Downloads all layers, without unpacking them. */
  download(image: ResolvedImage, options: UseOptions): Promise<void>;
}

/** Where the blob of a layer is had. */
interface LayerPlace {
  readonly origin: ImageOrigin;
  readonly reference: ImageReference;
  readonly diffId: Digest | undefined;
  readonly descriptor: Descriptor | undefined;
}

/** Layers that are downloaded at the same time. */
const downloadLanes = 3;

export function createImageUnpacker(options: UnpackOptions): ImageUnpacker {
  const { content, snapshots, blobs, worker, registry } = options;
  const unpacking = singleFlight<string, number>();
  const downloading = singleFlight<string, void>();
  const lanes = limiter(downloadLanes);
  const origins = new WeakMap<ImageOrigin, number>();
  let lastOrigin = 0;

  /** Names a download: another place that fails to give the same blob must not make this one fail. */
  function flightOf({ origin, reference }: LayerPlace, digest: Digest): string {
    const number = origins.get(origin) ?? (lastOrigin += 1);
    origins.set(origin, number);
    return `${number} ${reference.domain}/${reference.path} ${digest}`;
  }

  async function ensureBlob(place: LayerPlace, { signal, onStatus }: UseOptions): Promise<Descriptor> {
    const { diffId, descriptor } = place;
    const known = diffId ? blobs.of(diffId) : [];
    for (const blob of known) if (await content.has(blob.digest)) return blob;
    if (!descriptor || !diffId)
      throw new VarveError("IMAGE_INCOMPLETE", `a layer of ${familiarReference(place.reference)} is missing in the store`);
    const { digest, size } = descriptor;
    if (!(await content.has(digest))) {
      await downloading.run(
        flightOf(place, digest),
        (flightSignal) =>
          lanes.run(async () => {
            const onProgress = (current: number) => onStatus?.({ id: digest, current, total: size, done: current === size });
            await fetchBlob(place, descriptor, { content, signal: flightSignal, onProgress });
            if (place.origin === registry) options.blobPlaces.add([digest], place.reference);
          }),
        { signal },
      );
    }
    return descriptor;
  }

  /** As ensureBlob, of a layer that an earlier build left in its registry. */
  async function ensureAway(away: Pick<AwayLayer, "repository" | "blob"> & { readonly diffId: Digest }, use: UseOptions) {
    const place = placeOf(away);
    try {
      return await ensureBlob(place, use);
    } catch (error) {
      if (!isVarveError(error) || use.signal.aborted || error.kind === "canceled") throw error;
      const name = familiarReference(place.reference);
      throw new VarveError(
        "IMAGE_INCOMPLETE",
        `a layer of ${name} was left in its registry, which does not give it: ${error.message}`,
        {
          cause: error,
          hint: `nothing needed the files of the layer ${away.blob.digest} until now; they are fetched when ${place.reference.domain} has them`,
        },
      );
    }
  }

  const placeOf = ({ repository, diffId, blob }: Parameters<typeof ensureAway>[0]): LayerPlace => ({
    origin: registry,
    reference: parseReference(repository),
    diffId,
    descriptor: blob,
  });

  const placesOf = ({ origin, reference, manifest, config }: LayeredRoot): LayerPlace[] =>
    config.rootfs.diff_ids.map((diffId, index) => ({ origin, reference, diffId, descriptor: manifest?.layers[index] }));

  /** Applies a layer to what is below it. */
  async function apply(
    base: readonly number[],
    diffId: Digest,
    blob: Descriptor,
    { signal, onStatus }: UseOptions,
  ): Promise<{ readonly active: ActiveSnapshot; readonly bytes: number }> {
    const active = snapshots.create(base);
    const id = `extracting ${blob.digest}`;
    const onEvent = ({ current }: { readonly current: number }) =>
      onStatus?.({ id, current, total: blob.size, done: current === blob.size });
    const lowers = snapshots.fsPaths(base);
    const params = { blob: content.pathOf(blob.digest), digest: blob.digest, diffId, lowers, snapshot: active.path };
    try {
      const { bytes } = await worker.call(applyTask, params, { signal, onEvent });
      blobs.add(diffId, blob);
      return { active, bytes };
    } catch (error) {
      // the worker deleted the folder, or died: then it is swept
      active.discard();
      throw error;
    }
  }

  async function unpackLayer(
    diffId: Digest,
    chain: Digest,
    base: readonly number[],
    blob: Descriptor,
    use: UseOptions,
  ): Promise<number> {
    return unpacking.run(
      `${chain} ${blob.digest}`,
      async (signal) => {
        const known = snapshots.findByChain(chain);
        const [away] = known === undefined ? [] : snapshots.awayAmong([known.id]);
        if (away !== undefined) return await fillLayer(away, blob, { ...use, signal });
        if (known) return known.id;
        const { active, bytes } = await apply(base, diffId, blob, { ...use, signal });
        return active.commit({ chainId: chain, diffId, diffSize: bytes }).id;
      },
      { signal: use.signal },
    );
  }

  async function fillLayer({ id, base, diffId, blob: expected }: AwayLayer, blob: Descriptor, use: UseOptions): Promise<number> {
    return unpacking.run(
      `files of ${id}`,
      async (signal) => {
        if (snapshots.awayAmong([id]).length === 0) return id;
        const { active, bytes } = await apply(base, diffId, blob, { ...use, signal });
        // another process that was faster leaves what was made here to be swept
        if (snapshots.fill(id, active, bytes)) options.images.resizeLayer(id, bytes - expected.size);
        return id;
      },
      { signal: use.signal },
    );
  }

  async function bring(ids: readonly number[], use: UseOptions): Promise<void> {
    const away = snapshots.awayAmong(ids);
    await inOrder(
      away.map((layer) => ensureAway(layer, use)),
      async (blob, index) => await fillLayer(away[index] as AwayLayer, blob, use),
    );
  }

  /** The snapshots of an image's lowest layers, as far as they are known; with `here` only those whose files are here. */
  function findLowest(chains: readonly Digest[], { here }: { readonly here: boolean }): number[] {
    const layers: number[] = [];
    for (const chain of chains) {
      const found = snapshots.findByChain(chain);
      if (!found || (here && snapshots.awayAmong([found.id]).length > 0)) break;
      layers.push(found.id);
    }
    return layers;
  }

  async function unpack(image: LayeredRoot, use: UseOptions): Promise<StackRef> {
    if (image.layers && snapshots.claim(image.layers)) {
      await bring(image.layers, use);
      return { kind: "stack", layers: image.layers };
    }
    const chains = chainIds(image.config.rootfs.diff_ids);
    const layers = findLowest(chains, { here: true });
    const present = layers.length;
    const missing = placesOf(image).slice(present);
    await inOrder(
      missing.map((place) => ensureBlob(place, use)),
      async (blob, index) => {
        const chain = chains[present + index] as Digest;
        layers.push(await unpackLayer((missing[index] as LayerPlace).diffId as Digest, chain, [...layers], blob, use));
      },
    );
    return { kind: "stack", layers };
  }

  return {
    unpack,
    bring,
    async stackOf(image, use) {
      if (image.layers && snapshots.claim(image.layers)) return { kind: "stack", layers: image.layers };
      const { manifest, reference } = image;
      const diffIds = image.config.rootfs.diff_ids;
      if (image.origin !== registry || manifest === undefined || manifest.layers.length !== diffIds.length)
        return await unpack(image, use);
      const chains = chainIds(diffIds);
      const layers = findLowest(chains, { here: false });
      options.blobPlaces.add(
        manifest.layers.map(({ digest }) => digest),
        reference,
      );
      for (const [index, chainId] of chains.entries()) {
        const [diffId, blob] = [diffIds[index], manifest.layers[index]];
        if (index < layers.length || diffId === undefined || blob === undefined) continue;
        blobs.add(diffId, blob);
        layers.push(snapshots.addAway({ base: [...layers], chainId, diffId, repository: canonicalName(reference), blob }));
      }
      return { kind: "stack", layers };
    },
    async fetchLayer(digest, use) {
      const away = (await content.has(digest)) ? undefined : snapshots.awayBlob(digest);
      if (away !== undefined) await ensureAway(away, use);
    },
    async download(image, use) {
      await Promise.all(placesOf(image).map((place) => ensureBlob(place, use)));
    },
  };
}

/** Does something with each outcome in turn, while the later ones are on their way. Settles when all of them have. */
async function inOrder<T>(promises: readonly Promise<T>[], take: (value: T, index: number) => Promise<unknown>): Promise<void> {
  // one that fails is told in its turn, or not at all after another's failure
  for (const promise of promises) promise.catch(() => undefined);
  try {
    for (const [index, promise] of promises.entries()) await take(await promise, index);
  } finally {
    await Promise.allSettled(promises);
  }
}
