import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  assignNodes,
  defaultBuilder,
  drivers,
  makeBuilderName,
  openBuilderStore,
  readBuilderName,
  readDriverOptions,
  type BuilderRecord,
  type BuilderStore,
  type NodeRecord,
} from "../builders/index.ts";
import { VarveError } from "../errors/index.ts";
import { formatPlatform, parsePlatform } from "../oci/index.ts";
import { removeTask } from "../ops/index.ts";
import { leasesSchema, openLeases, openState } from "../state/index.ts";
import { nativePlatform } from "./build-platforms.ts";
import type { Builders, BuilderInfo, CreateBuilder, GcRule, NodeInfo } from "./builder-types.ts";
import { readConfig } from "./config.ts";
import { machinePlatforms } from "./machine-platforms.ts";
import type { Settings } from "./open-varve.ts";
import { openParts } from "./parts.ts";

/** Docker's endpoint names that mean this machine. */
const localEndpoints = ["local", "default"];

/** The builders beside the store of `settings`. */
export function createBuilders(settings: Settings): Builders {
  const store = openBuilderStore(settings.root);
  const describe = (record: BuilderRecord, current: string): BuilderInfo => ({
    ...record,
    isCurrent: record.name === current,
    loads: record.driver === "docker" || readDriverOptions(record.nodes[0]?.driverOptions ?? {}).loads,
    nodes: record.nodes.map((node) => describeNode(record, node)),
  });
  const describeNode = (builder: BuilderRecord, node: NodeRecord): NodeInfo => {
    const isDefault = builder.driver === "docker";
    const root = isDefault ? settings.root : store.nodeRoot(builder.name, node.name);
    const isMade = isDefault || existsSync(join(root, "state.db"));
    const status = node.stopped === true ? "stopped" : isMade ? "running" : "inactive";
    return { ...node, root, status, machinePlatforms: status === "running" ? machinePlatforms(settings.path) : [] };
  };
  const find = (name: string): BuilderRecord => (name === defaultBuilder ? theDefault : store.get(name));
  const refuseInUse = (record: BuilderRecord, what: string): void => {
    for (const node of record.nodes)
      if (isInUse(store.nodeRoot(record.name, node.name)))
        throw new VarveError("BUILDER_IN_USE", `cannot ${what} ${record.name}: a command works in it`, {
          hint: "wait for it, or end it",
        });
  };
  const builders: Builders = {
    list() {
      const current = store.current();
      return [...store.list(), theDefault].map((record) => describe(record, current));
    },
    current: () => store.current(),
    get: (name = store.current()) => describe(find(name), store.current()),
    gcRules: async (name = store.current()) => {
      const record = find(name);
      const nodes = describe(record, name).nodes;
      return await Promise.all(
        nodes.map(async (node) => {
          if (node.status === "inactive") return [];
          const own = record.driver === "docker" ? settings : nodeSettings(settings, store, record, node);
          return await readGcRules(own);
        }),
      );
    },
    create: async (options = {}) => createBuilder(options, store),
    leave(name, node) {
      const { nodes, ...record } = store.get(name);
      const left = nodes.filter((each) => each.name !== node);
      if (left.length === nodes.length) throw new VarveError("BUILDER_NOT_FOUND", `the builder ${name} has no node "${node}"`);
      if (left.length === 0) throw new VarveError("USAGE", "can not leave last node, do you want to rm instance instead?");
      store.write({ ...record, nodes: left });
    },
    use(name) {
      store.use(find(name).name);
    },
    async start(name) {
      const record = find(name);
      if (record.driver === "docker") return;
      for (const node of record.nodes) await openParts(nodeSettings(settings, store, record, node)).close({ collect: false });
      store.touch(record);
    },
    async stop(name = store.current()) {
      const record = find(name);
      if (record.driver === "docker") return;
      refuseInUse(record, "stop");
      store.write({ ...record, nodes: record.nodes.map((node) => ({ ...node, stopped: true as const })) });
    },
    async remove(name, { keepState = false, signal = new AbortController().signal } = {}) {
      if (name === defaultBuilder)
        throw new VarveError(
          "USAGE",
          "context builder cannot be removed, run `docker context rm default` to remove this context",
          {
            hint: "the default builder is the store itself; varve builder prune empties its cache",
          },
        );
      refuseInUse(store.get(name), "remove");
      const paths = store.remove(name, { keepState });
      if (paths.length === 0) return;
      // What builds made belongs to ids that only the worker may act for.
      const parts = openParts(settings);
      try {
        await parts.worker.call(removeTask, { paths }, { signal });
      } finally {
        await parts.close({ collect: false });
      }
    },
  };
  return builders;
}

const theDefault: BuilderRecord = {
  name: defaultBuilder,
  driver: "docker",
  nodes: [{ name: defaultBuilder, endpoint: defaultBuilder, platforms: [], flags: [], driverOptions: {} }],
};

/** The settings of a builder's first node: its store, its configuration, its proxies. Fails with BUILDER_NOT_FOUND. */
export function builderSettings(settings: Settings, name: string): Settings {
  if (name === defaultBuilder) return settings;
  const store = openBuilderStore(settings.root);
  const record = store.get(name);
  const [share] = assignNodes(record.nodes, []);
  if (share === undefined) throw new VarveError("CONFIG_INVALID", `the builder ${name} has no nodes`);
  store.touch(record);
  return nodeSettings(settings, store, record, share.node);
}

function nodeSettings(settings: Settings, store: BuilderStore, record: BuilderRecord, node: NodeRecord): Settings {
  return {
    ...settings,
    root: store.nodeRoot(record.name, node.name),
    configPath: store.configPath(record, node) ?? settings.configPath,
    proxyEnv: { ...settings.proxyEnv, ...readDriverOptions(node.driverOptions).proxyEnv },
  };
}

async function readGcRules({ root, configPath }: Settings): Promise<readonly GcRule[]> {
  const { gcRules, readDisk } = await import("../gc/index.ts");
  const { readStoreSettings } = await import("./store-care.ts");
  const settings = await readStoreSettings({ storeSettings: readConfig(configPath).store });
  if (!settings.gc || !existsSync(root)) return [];
  return gcRules(settings, readDisk(root)).map(({ all, filters = [], keepMs, reservedBytes, maxUsedBytes, minFreeBytes }) => ({
    all,
    filters,
    keepMs,
    ...(reservedBytes === undefined ? {} : { reservedBytes }),
    ...(maxUsedBytes === undefined ? {} : { maxUsedBytes }),
    ...(minFreeBytes === undefined ? {} : { minFreeBytes }),
  }));
}

function createBuilder(options: CreateBuilder, store: BuilderStore): string {
  const { append = false, endpoint = "local" } = options;
  if (append && options.name === undefined) throw new VarveError("USAGE", "append requires a builder name");
  const taken = new Set(store.list().map(({ name }) => name));
  const name = options.name === undefined ? makeBuilderName(taken) : readBuilderName(options.name);
  const existing = store.has(name) ? store.get(name) : undefined;
  const driver = options.driver ?? existing?.driver ?? "docker-container";
  if (!drivers.includes(driver)) throw new VarveError("USAGE", `failed to find driver "${driver}"`);
  if (driver === "docker") throw new VarveError("USAGE", 'additional instances of driver "docker" cannot be created');
  if (name === defaultBuilder)
    throw new VarveError("USAGE", "default is a reserved name and cannot be used to identify builder instance");
  if (driver !== "docker-container")
    throw new VarveError("NOT_SUPPORTED_YET", `the driver ${driver} is not supported yet: it needs a machine elsewhere`, {
      hint: "builders of this machine have the driver docker-container",
    });
  if (!localEndpoints.includes(endpoint))
    throw new VarveError("NOT_SUPPORTED_YET", `the endpoint ${endpoint} is not supported yet: builders are on this machine`, {
      hint: "leave it out",
    });
  if (existing !== undefined && options.node === undefined && !append)
    throw new VarveError(
      "USAGE",
      `existing instance for "${name}" but no append mode, specify the node name to make changes for existing instances`,
    );
  const nodeName = options.node === undefined ? `${name}${existing?.nodes.length ?? 0}` : readBuilderName(options.node);
  const old = existing?.nodes.find((node) => node.name === nodeName);
  if (existing !== undefined && old === undefined)
    throw new VarveError("USAGE", `invalid duplicate endpoint ${endpoint}`, {
      hint: "one builder has this machine once; make a builder of its own, or name its node with --node to change it",
    });
  const driverOptions = options.driverOptions ?? old?.driverOptions ?? {};
  readDriverOptions(driverOptions);
  const config = options.config === undefined ? old?.config : readOwnConfig(options.config.path);
  const node: NodeRecord = {
    name: nodeName,
    endpoint: "local",
    platforms: options.platforms === undefined ? (old?.platforms ?? []) : readPlatforms(options.platforms),
    flags: options.flags ?? old?.flags ?? [],
    driverOptions,
    ...(config === undefined ? {} : { config }),
  };
  const nodes = existing === undefined ? [node] : existing.nodes.map((each) => (each.name === nodeName ? node : each));
  store.write({ name, driver: "docker-container", nodes });
  return name;
}

function readPlatforms(texts: readonly string[]): readonly string[] {
  const host = nativePlatform();
  return [...new Set(texts.map((text) => formatPlatform(parsePlatform(text.trim(), { host }))))];
}

/** Refused now, not in the first build. */
function readOwnConfig(path: string): string {
  if (!existsSync(path)) throw new VarveError("FILE_UNREADABLE", `cannot read ${path}: there is no such file`);
  readConfig(path);
  return readFileSync(path, "utf8");
}

/** Whether a process is at work in a store. */
function isInUse(root: string): boolean {
  if (!existsSync(join(root, "state.db"))) return false;
  const state = openState(root, [leasesSchema]);
  try {
    return openLeases({ state }).holders().length > 0;
  } finally {
    state.close();
  }
}
