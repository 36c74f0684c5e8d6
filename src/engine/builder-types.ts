import type { BuilderRecord } from "../builders/index.ts";

/** A builder as it is now. */
export interface BuilderInfo extends BuilderRecord {
  /** It is used where none is named. */
  readonly isCurrent: boolean;
  /** Results without another output go into the image store. */
  readonly loads: boolean;
  readonly nodes: readonly NodeInfo[];
}

export type NodeInfo = BuilderRecord["nodes"][number] & {
  /** `inactive`: it has not been used yet. */
  readonly status: "running" | "inactive" | "stopped";
  /** What it builds for besides what it was given: this machine's platform, and those that it emulates. Empty while it does not run. */
  readonly machinePlatforms: readonly string[];
  /** Its store folder. */
  readonly root: string;
};

/** One rule of a node's garbage collection, as buildkitd.toml has them. */
export interface GcRule {
  readonly all: boolean;
  readonly filters: readonly string[];
  readonly keepMs: number;
  readonly reservedBytes?: number;
  readonly maxUsedBytes?: number;
  readonly minFreeBytes?: number;
}

export interface CreateBuilder {
  /** Default: one that no other builder has. */
  readonly name?: string;
  /** Default `docker-container`. */
  readonly driver?: string;
  /** Default: `NAME0`. */
  readonly node?: string;
  /** `local` or `default`: this machine. */
  readonly endpoint?: string;
  readonly platforms?: readonly string[];
  readonly flags?: readonly string[];
  readonly driverOptions?: Readonly<Record<string, string>>;
  /** The text of a configuration file for this builder, with the tables of varve.toml. */
  readonly config?: { readonly path: string };
  /** Change the node of a builder that exists. */
  readonly append?: boolean;
}

/** The builders of a machine: the default one, which is the store itself, and those made beside it. */
export interface Builders {
  /** By name, the default builder last. */
  list(): readonly BuilderInfo[];
  /** The name of the one that is used where none is named. */
  current(): string;
  /** Default: the current one. Fails with BUILDER_NOT_FOUND. */
  get(name?: string): BuilderInfo;
  /** What garbage collection keeps to, node by node; none where it is off, or the node is not in use yet. */
  gcRules(name?: string): Promise<readonly (readonly GcRule[])[]>;
  /** Returns its name. Fails with USAGE and NOT_SUPPORTED_YET where the options do not go with a builder of this machine. */
  create(options?: CreateBuilder): Promise<string>;
  /** Takes a node from a builder: the last one stays. */
  leave(name: string, node: string): void;
  /** Makes it the one that is used where none is named. */
  use(name: string): void;
  /** Makes its stores. */
  start(name: string): Promise<void>;
  /** Fails with BUILDER_IN_USE while a command works in it. */
  stop(name?: string): Promise<void>;
  /** Removes it with its cache. Fails with BUILDER_IN_USE while a command works in it. */
  remove(name: string, options?: { readonly keepState?: boolean; readonly signal?: AbortSignal }): Promise<void>;
}
