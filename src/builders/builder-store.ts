import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import { asideOf } from "../state/index.ts";
import { defaultBuilder, type BuilderRecord, type NodeRecord } from "./types.ts";

/** The builders of a store folder: `builders/NAME/builder.json`, and beside it a folder for the store of each node. */
export interface BuilderStore {
  /** By name, without the default builder. */
  list(): readonly BuilderRecord[];
  /** Fails with BUILDER_NOT_FOUND. */
  get(name: string): BuilderRecord;
  has(name: string): boolean;
  write(builder: BuilderRecord): void;
  /** The name of the builder that is used when none is named. One that is gone is the default builder. */
  current(): string;
  use(name: string): void;
  /** Notes that it is used, now. */
  touch(builder: BuilderRecord): void;
  /** The store of a node, whether it is there or not. */
  nodeRoot(builder: string, node: string): string;
  /** The file with a node's own configuration, undefined where it has none. */
  configPath(builder: BuilderRecord, node: NodeRecord): string | undefined;
  /**
   * Forgets a builder. Returns the folders that are to be deleted, under names that nobody uses any more: also those that earlier
   * removals did not get to.
   */
  remove(name: string, options: { readonly keepState: boolean }): readonly string[];
}

export function openBuilderStore(root: string): BuilderStore {
  const folder = join(root, "builders");
  const at = (...names: readonly string[]): string => join(folder, ...names);
  const file = (name: string): string => at(name, "builder.json");

  function read(name: string): BuilderRecord | undefined {
    let text: string;
    try {
      text = readFileSync(file(name), "utf8");
    } catch (error) {
      if (isGone(error)) return undefined;
      throw unusable(name, error);
    }
    try {
      const record = JSON.parse(text) as BuilderRecord;
      return { ...record, name, lastActivityMs: statSync(file(name)).mtimeMs };
    } catch (error) {
      throw unusable(name, error);
    }
  }
  const entries = (): readonly string[] => {
    try {
      return readdirSync(folder).toSorted();
    } catch (error) {
      if (isGone(error)) return [];
      throw error;
    }
  };
  const store: BuilderStore = {
    list: () =>
      entries()
        .filter((name) => /^[a-z]/.test(name))
        .map(read)
        .filter((record) => record !== undefined),
    get(name) {
      const record = store.has(name) ? read(name) : undefined;
      if (record === undefined)
        throw new VarveError("BUILDER_NOT_FOUND", `no builder "${name}" found`, { hint: "varve buildx ls lists them" });
      return record;
    },
    has: (name) => /^[a-z][a-z0-9._-]*$/.test(name) && existsSync(file(name)),
    write({ name, driver, nodes }) {
      mkdirSync(at(name), { recursive: true, mode: 0o711 });
      nodes.forEach((node) => {
        const path = at(name, `${node.name}.toml`);
        if (node.config === undefined) rmSync(path, { force: true });
        else replace(path, node.config);
      });
      replace(file(name), `${JSON.stringify({ driver, nodes }, undefined, 2)}\n`);
    },
    current() {
      try {
        const name = readFileSync(at(".current"), "utf8").trim();
        return store.has(name) ? name : defaultBuilder;
      } catch (error) {
        if (isGone(error)) return defaultBuilder;
        throw error;
      }
    },
    use(name) {
      mkdirSync(folder, { recursive: true, mode: 0o711 });
      replace(at(".current"), `${name}\n`);
    },
    touch(builder) {
      if (builder.nodes.some(({ stopped }) => stopped)) store.write({ ...builder, nodes: builder.nodes.map(started) });
      else utimesSync(file(builder.name), new Date(), new Date());
    },
    nodeRoot: (builder, node) => at(builder, node),
    configPath: (builder, node) => (node.config === undefined ? undefined : at(builder.name, `${node.name}.toml`)),
    remove(name, { keepState }) {
      const { nodes } = store.get(name);
      if (keepState) {
        for (const path of [file(name), ...nodes.map((node) => at(name, `${node.name}.toml`))]) rmSync(path, { force: true });
        return [];
      }
      const gone = join(folder, `.gone-${process.pid}-${Date.now()}`);
      renameSync(at(name), gone);
      return entries()
        .filter((entry) => entry.startsWith(".gone-"))
        .map((entry) => at(entry));
    },
  };
  return store;
}

function started({ name, endpoint, platforms, flags, driverOptions, config }: NodeRecord): NodeRecord {
  return { name, endpoint, platforms, flags, driverOptions, ...(config === undefined ? {} : { config }) };
}

function replace(path: string, text: string): void {
  const aside = asideOf(path);
  try {
    writeFileSync(aside, text);
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    if (["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? ""))
      throw new VarveError("DISK_FULL", "no room on the disk for a builder's record", { cause: error });
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function unusable(name: string, cause: unknown): VarveError {
  return new VarveError("CONFIG_INVALID", `the record of the builder ${name} cannot be read`, {
    cause,
    hint: `remove it: varve buildx rm ${name}, or its folder in the store's builders`,
  });
}
