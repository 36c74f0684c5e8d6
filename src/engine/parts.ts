import { join } from "node:path";
import { cacheSchema, createCache, type Cache } from "../cache/index.ts";
import { openCacheMounts, type CacheMounts } from "../cache-mounts/index.ts";
import { openContentStore, type ContentStore } from "../content/index.ts";
import { historySchema, openHistory, type HistoryStore } from "../history/index.ts";
import { imagesSchema, openImages, type ImageStore } from "../images/index.ts";
import { layersSchema, openLayerBlobs, type LayerBlobs } from "../layers/index.ts";
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
import { createWorker, type Worker } from "../worker/index.ts";
import { readConfig } from "./config.ts";
import type { Settings } from "./open-varve.ts";
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
  readonly history: HistoryStore;
  readonly blobs: LayerBlobs;
  readonly cache: Cache;
  readonly registry: RegistryClient;
  readonly imageSource: ImageSource;
  readonly httpSource: HttpSource;
  readonly gitSource: GitSource;
  readonly worker: Worker;
  /** Folders to look for programs in: a PATH. */
  readonly path: string;
  readonly cacheMounts: CacheMounts;
  close(): Promise<void>;
}

export function openParts({ root, configPath, dockerConfigDir, path, runtime, proxyEnv }: Settings): Parts {
  const state = openState(root, [
    leasesSchema,
    snapshotsSchema,
    cacheSchema,
    imagesSchema,
    layersSchema,
    sourcesSchema,
    httpSchema,
    historySchema,
  ]);
  const leases = openLeases({ state });
  const content = openContentStore(root, { claim: (digest) => void leases.claim([`blob/${digest}`], () => true) });
  const snapshots = openSnapshots({ state, root, leases });
  const images = openImages({ state });
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
  const registry = createRegistryClient({
    config: config.registry,
    credentials: loadDockerCredentials({ dockerConfigDir }),
    userAgent,
    proxyEnv,
  });
  const imageSource = createImageSource({ state, registry, content, images, blobs, snapshots, worker });
  const httpSource = createHttpSource({ state, content, userAgent, proxyEnv });
  const gitSource = createGitSource({ root, worker, path, proxyEnv });
  return {
    root,
    state,
    leases,
    content,
    snapshots,
    images,
    history,
    blobs,
    cache,
    registry,
    imageSource,
    httpSource,
    gitSource,
    worker,
    path,
    cacheMounts: openCacheMounts({ root: join(root, "cache-mounts"), worker }),
    async close() {
      if (worker.started) await sweepStore({ snapshots, content, worker });
      await worker.close();
      await history.settled();
      registry.close();
      httpSource.close();
      state.close();
    },
  };
}
