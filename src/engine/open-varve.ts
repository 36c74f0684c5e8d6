import { homedir } from "node:os";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import type { Varve, VarveOptions } from "./types.ts";
import { startBuild } from "./build.ts";
import { builderSettings, createBuilders } from "./builders.ts";
import { createContainers } from "./containers-api.ts";
import { createHistory } from "./history.ts";
import { createImages } from "./images.ts";
import { openParts, type Parts } from "./parts.ts";
import type { ContainersRoom } from "../containers/index.ts";
import { createNetworks, createVolumes } from "./store-networks.ts";
import { version } from "./version.ts";

/** Opens a store. Nothing is read or written before something is asked of it. */
export function openVarve(options: VarveOptions = {}): Varve {
  const base = withDefaults(options);
  const settings = options.builder === undefined ? base : builderSettings(base, options.builder);
  const running = new Set<Promise<unknown>>();
  const closing = new AbortController();
  let parts: Parts | undefined;
  const needParts = () => {
    closing.signal.throwIfAborted();
    return (parts ??= openParts(settings));
  };
  const withSignal = <T extends { readonly signal?: AbortSignal }>(given: T): T & { readonly signal: AbortSignal } => ({
    ...given,
    signal: AbortSignal.any([closing.signal, ...(given.signal ? [given.signal] : [])]),
  });
  const track = <T extends Promise<unknown>>(run: T): T => {
    const settled: Promise<unknown> = run.then(
      () => running.delete(settled),
      () => running.delete(settled),
    );
    running.add(settled);
    return run;
  };
  const mounting = async () => (await import("./cache-mounts.ts")).createCacheMountCommands(needParts);
  const logins = async () => (await import("./logins.ts")).createLogins(settings);
  const caring = async () => (await import("./store-care.ts")).createStoreCare(needParts);
  const gitting = async () => (await import("./git-folders.ts")).createGitFolders(settings);
  const remote = async () => (await import("./remote-images.ts")).createRemoteImages(needParts);
  let room: Promise<ContainersRoom> | undefined;
  const containing = (): Promise<ContainersRoom> => {
    const open = needParts();
    return (room ??= import("./containers.ts").then(({ openStoreContainers }) => openStoreContainers(open, settings)));
  };
  const varve: Varve = {
    build: (build) => track(startBuild(needParts, withSignal(build))),
    check: (build) => track((async () => (await describing()).checkBuild(needParts(), withSignal(build)))()),
    outline: (build) => track((async () => (await describing()).outlineBuild(needParts(), withSignal(build)))()),
    targets: (build) => track((async () => (await describing()).listTargets(needParts(), withSignal(build)))()),
    contextFiles: (files) =>
      track((async () => (await import("./context-files.ts")).listContextFiles(needParts(), withSignal(files)))()),
    images: createImages(needParts),
    remoteImages: {
      inspect: (name, options) => track((async () => (await remote()).inspect(name, withSignal(options ?? {})))()),
      configs: (name, options) => track((async () => (await remote()).configs(name, withSignal(options ?? {})))()),
      join: (request) => track((async () => (await remote()).join(withSignal(request)))()),
      push: (joined, tags, options) => track((async () => (await remote()).push(joined, tags, withSignal(options ?? {})))()),
      readArtifact: (name, options) => track((async () => (await remote()).readArtifact(name, withSignal(options ?? {})))()),
      pushArtifact: (name, artifact, options) =>
        track((async () => (await remote()).pushArtifact(name, artifact, withSignal(options ?? {})))()),
      lists: async () => (await import("./manifest-lists.ts")).createManifestLists(needParts),
    },
    gitFolders: {
      resolve: (url, options) => track((async () => (await gitting()).resolve(url, withSignal(options ?? {})))()),
      checkOut: (place, folder, options) =>
        track((async () => (await gitting()).checkOut(place, folder, withSignal(options ?? {})))()),
    },
    get builders() {
      return createBuilders(base);
    },
    logins: {
      login: (request, options) => track((async () => (await logins()).login(request, withSignal(options ?? {})))()),
      check: (registry, options) => track((async () => (await logins()).check(registry, withSignal(options ?? {})))()),
      logout: (registry, options) => track((async () => (await logins()).logout(registry, withSignal(options ?? {})))()),
    },
    store: {
      usage: (options) => track((async () => (await caring()).usage(withSignal(options ?? {})))()),
      prune: (request) => track((async () => (await caring()).prune(withSignal(request ?? {})))()),
      pruneImages: (request) => track((async () => (await caring()).pruneImages(withSignal(request ?? {})))()),
    },
    cacheMounts: {
      list: (options) => track((async () => (await mounting()).list(withSignal(options ?? {})))()),
      remove: (names, options) => track((async () => (await mounting()).remove(names, withSignal(options ?? {})))()),
      export: (options) => track((async () => (await mounting()).export(withSignal(options)))()),
      import: (options) => track((async () => (await mounting()).import(withSignal(options)))()),
    },
    get containers() {
      return createContainers(containing, track, closing.signal);
    },
    networks: createNetworks(needParts),
    volumes: createVolumes(needParts),
    history: createHistory(needParts),
    explain: (name, options) =>
      track((async () => (await import("./explain-record.ts")).explainRecord(needParts(), name, withSignal(options ?? {})))()),
    verify: (image, options) =>
      track(
        (async () => {
          const { verifyImage } = await import("./verify-image.ts");
          return await verifyImage(needParts(), image, withSignal(options ?? {}), (build) => varve.build(build));
        })(),
      ),
    version: () => version(settings),
    async close() {
      closing.abort(new VarveError("CANCELED", "the store was closed"));
      await Promise.all(running);
      await parts?.close();
      parts = undefined;
      room = undefined;
    },
    [Symbol.asyncDispose]: () => varve.close(),
  };
  return varve;
}

const describing = () => import("./describe-build.ts");

/** Options with every default filled in. */
export interface Settings {
  readonly root: string;
  readonly configPath: string;
  readonly dockerConfigDir: string;
  readonly path: string;
  readonly runtime: string | undefined;
  readonly proxyEnv: Readonly<Record<string, string>>;
  readonly onWarning: (message: string) => void;
}

function withDefaults(options: VarveOptions): Settings {
  const isRoot = process.getuid?.() === 0;
  const home = homedir();
  return {
    root: options.root ?? (isRoot ? "/var/lib/varve" : join(home, ".local/share/varve")),
    configPath: options.configPath ?? (isRoot ? "/etc/varve/varve.toml" : join(home, ".config/varve/varve.toml")),
    dockerConfigDir: options.dockerConfigDir ?? join(home, ".docker"),
    path: options.path ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    runtime: options.runtime,
    proxyEnv: options.proxyEnv ?? {},
    onWarning: options.onWarning ?? (() => undefined),
  };
}
