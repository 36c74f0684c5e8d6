import { join } from "node:path";
import { cacheSchema, createCache, type Cache } from "../cache/index.ts";
import { openCacheMounts, type CacheMounts } from "../cache-mounts/index.ts";
import { containersSchema } from "../containers/index.ts";
import { openContentStore, type ContentStore } from "../content/index.ts";
import { historySchema, openHistory, type HistoryStore } from "../history/index.ts";
import { blobPlacesSchema, imagesSchema, openBlobPlaces, openImages, type BlobPlaces, type ImageStore } from "../images/index.ts";
import { layersSchema, openLayerBlobs, type LayerBlobs } from "../layers/index.ts";
import { networksSchema } from "../networks/index.ts";
import { createRegistryClient, loadDockerCredentials, type RegistryClient } from "../registry/index.ts";
import { openSnapshots, snapshotsSchema, type SnapshotStore } from "../snapshots/index.ts";
import {
  createGitSource,
  createHttpSource,
  createImageSource,
  httpSchema,
  sourcesSchema,
  type GitSource,
  type HttpSource,
  type ImageSource,
} from "../sources/index.ts";
import { leasesSchema, openLeases, openState, type Leases, type State } from "../state/index.ts";
import { openTraces, tracesSchema, type TraceStore } from "../traces/index.ts";
import { volumesSchema } from "../volumes/index.ts";
import { createWorker, type Worker } from "../worker/index.ts";
import { readConfig, type VarveConfig } from "./config.ts";
import type { Settings } from "./open-varve.ts";
import { settleQuota } from "./quota.ts";
import { forgetUnwritten, startSync } from "./durability.ts";
import { sweepStore } from "./sweep-store.ts";
import { modulePath, packageVersion } from "../package/index.ts";

/** All parts over one store folder, wired. */
export interface Parts {
  readonly root: string;
  readonly state: State;
  readonly leases: Leases;
  readonly content: ContentStore;
  readonly snapshots: SnapshotStore;
  readonly images: ImageStore;
  readonly blobPlaces: BlobPlaces;
  readonly history: HistoryStore;
  readonly blobs: LayerBlobs;
  readonly cache: Cache;
  readonly traces: TraceStore;
  readonly registry: RegistryClient;
  /** A client that takes any certificate of one host, or plain HTTP (`registry.insecure`). */
  readonly insecureRegistry: (host: string) => RegistryClient;
  readonly imageSource: ImageSource;
  readonly httpSource: HttpSource;
  readonly gitSource: GitSource;
  readonly worker: Worker;
  readonly storeSettings: VarveConfig["store"];
  /** Folders to look for programs in: a PATH. */
  readonly path: string;
  readonly onWarning: (message: string) => void;
  readonly cacheMounts: CacheMounts;
  /** With `collect` (the default) garbage is collected afterwards by another process, where that is due. */
  close(options?: { readonly collect?: boolean }): Promise<void>;
}

export function openParts(settings: Settings): Parts {
  const { root, configPath, dockerConfigDir, path, runtime, proxyEnv } = settings;
  const state = openState(root, [
    leasesSchema,
    snapshotsSchema,
    cacheSchema,
    imagesSchema,
    blobPlacesSchema,
    layersSchema,
    sourcesSchema,
    httpSchema,
    historySchema,
    tracesSchema,
    containersSchema,
    networksSchema,
    volumesSchema,
  ]);
  const leases = openLeases({ state });
  const content = openContentStore(root, { claim: (digest) => void leases.claim([`blob/${digest}`], () => true) });
  const snapshots = openSnapshots({ state, root, leases });
  const images = openImages({ state });
  const blobPlaces = openBlobPlaces({ state });
  const config = readConfig(configPath);
  const history = openHistory({ state, root, retention: config.history });
  const blobs = openLayerBlobs({ state });
  const cache = createCache({ state, snapshots });
  const worker = createWorker({
    entry: modulePath("engine/worker-entry"),
    root,
    path,
    ...(runtime === undefined ? {} : { runtime }),
  });
  const userAgent = `varve/${packageVersion()}`;
  const reaching = {
    limits: config.transfers,
    credentials: loadDockerCredentials({ dockerConfigDir, onWarning: settings.onWarning }),
    userAgent,
    proxyEnv,
  };
  const registry = createRegistryClient({ config: config.registry, ...reaching });
  const insecure = new Map<string, RegistryClient>();
  const insecureRegistry = (host: string): RegistryClient => {
    const plain = { ...config.registry[host], http: true, insecure: true };
    const client = insecure.get(host) ?? createRegistryClient({ config: { ...config.registry, [host]: plain }, ...reaching });
    insecure.set(host, client);
    return client;
  };
  const imageSource = createImageSource({ state, registry, content, images, blobPlaces, blobs, snapshots, worker });
  const httpSource = createHttpSource({ state, content, userAgent, proxyEnv });
  const gitSource = createGitSource({ root, worker, path, proxyEnv });
  const parts: Parts = {
    root,
    state,
    leases,
    content,
    snapshots,
    images,
    blobPlaces,
    history,
    blobs,
    cache,
    traces: openTraces({ state }),
    registry,
    insecureRegistry,
    imageSource,
    httpSource,
    gitSource,
    storeSettings: config.store,
    worker,
    path,
    onWarning: settings.onWarning,
    cacheMounts: openCacheMounts({ root: join(root, "cache-mounts"), worker }),
    async close({ collect = true } = {}) {
      if (worker.started) {
        await sweepStore({ snapshots, content, leases, worker, state });
        await settleQuota(parts);
        startSync(parts);
        if (collect) await (await import("./garbage.ts")).startCollection(parts, settings);
      }
      await worker.close();
      await history.settled();
      for (const client of [registry, ...insecure.values()]) client.close();
      httpSource.close();
      state.close();
    },
  };
  forgetUnwritten(parts);
  return parts;
}
