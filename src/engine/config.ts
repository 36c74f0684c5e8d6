import { readDurationMs } from "../units/index.ts";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { VarveError } from "../errors/index.ts";
import type { Retention } from "../history/index.ts";
import type { RegistryConfig, RegistryHostConfig, RegistryLimits } from "../registry/index.ts";
import { readTransfers } from "./config-transfers.ts";

export interface VarveConfig {
  readonly registry: RegistryConfig;
  /** `[transfers]`: deadlines and limits of what goes to and comes from registries. */
  readonly transfers: Partial<RegistryLimits>;
  /** How long builds are remembered: `[history]` with `maxAge` and `maxEntries`, as buildkitd.toml. */
  readonly history: Partial<Retention>;
  /** `[worker.oci]`: how large the store may be. Read when it is first needed. */
  readonly store: { readonly table: Readonly<Record<string, unknown>>; readonly where: string } | undefined;
}

/** Tables of buildkitd.toml that mean something to Varve, and `transfers`, which is Varve's own; others would have no effect. */
const knownTables = new Set(["history", "registry", "transfers", "worker"]);

/** Reads `varve.toml`. A missing file is an empty one. */
export function readConfig(path: string): VarveConfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { registry: {}, transfers: {}, history: {}, store: undefined };
    throw new VarveError("CONFIG_INVALID", `cannot read ${path}`, { cause: error });
  }
  const { parse } = createRequire(import.meta.url)("smol-toml") as typeof import("smol-toml");
  let table: Record<string, unknown>;
  try {
    table = parse(text);
  } catch (error) {
    throw new VarveError("CONFIG_INVALID", `${path}: ${(error as Error).message.split("\n")[0]}`, { cause: error });
  }
  for (const key of Object.keys(table)) {
    if (!knownTables.has(key))
      throw new VarveError("CONFIG_INVALID", `${path}: unknown setting "${key}"`, {
        hint: `known: ${[...knownTables].join(", ")}`,
      });
  }
  return {
    registry: readRegistries(table["registry"] ?? {}, path),
    transfers: readTransfers(table["transfers"] ?? {}, `${path}: transfers`, readDurationMs),
    history: readHistory(table["history"] ?? {}, path),
    store: readWorker(table["worker"], path),
  };
}

/** Of buildkitd.toml's workers there is one here, and of its settings those about the store. */
function readWorker(value: unknown, path: string): VarveConfig["store"] {
  if (value === undefined) return undefined;
  const known = isTable(value) && Object.keys(value).every((key) => key === "oci");
  if (!known) throw new VarveError("CONFIG_INVALID", `${path}: "worker" holds one table, worker.oci`);
  const table = value["oci"] ?? {};
  if (!isTable(table)) throw new VarveError("CONFIG_INVALID", `${path}: "worker.oci" is not a table`);
  return { table, where: `${path}: worker.oci` };
}

/** What each setting of a `[registry."host"]` table must be. */
const registrySettings: Readonly<Record<keyof RegistryHostConfig, (value: unknown) => boolean>> = {
  mirrors: isTexts,
  http: (value) => typeof value === "boolean",
  insecure: (value) => typeof value === "boolean",
  ca: isTexts,
  keypair: (value) =>
    Array.isArray(value) &&
    value.every((pair) => isTable(pair) && typeof pair["key"] === "string" && typeof pair["cert"] === "string"),
};

function readRegistries(value: unknown, path: string): RegistryConfig {
  if (!isTable(value)) throw new VarveError("CONFIG_INVALID", `${path}: "registry" is not a table`);
  for (const [host, settings] of Object.entries(value)) {
    if (!isTable(settings)) throw new VarveError("CONFIG_INVALID", `${path}: registry."${host}" is not a table`);
    for (const [name, setting] of Object.entries(settings)) {
      if (!Object.hasOwn(registrySettings, name)) {
        throw new VarveError("CONFIG_INVALID", `${path}: unknown setting registry."${host}".${name}`, {
          hint: `known: ${Object.keys(registrySettings).join(", ")}`,
        });
      }
      if (!registrySettings[name as keyof RegistryHostConfig](setting))
        throw new VarveError("CONFIG_INVALID", `${path}: registry."${host}".${name} has a wrong type`);
    }
  }
  return value as RegistryConfig;
}

function readHistory(value: unknown, path: string): Partial<Retention> {
  if (!isTable(value)) throw new VarveError("CONFIG_INVALID", `${path}: "history" is not a table`);
  const unknown = Object.keys(value).find((key) => key !== "maxAge" && key !== "maxEntries");
  if (unknown !== undefined)
    throw new VarveError("CONFIG_INVALID", `${path}: unknown setting history.${unknown}`, { hint: "known: maxAge, maxEntries" });
  const { maxAge, maxEntries } = value;
  const maxAgeMs = maxAge === undefined ? undefined : readDurationMs(maxAge);
  if (maxAge !== undefined && maxAgeMs === undefined)
    throw new VarveError("CONFIG_INVALID", `${path}: history.maxAge is neither seconds nor a text like "48h"`);
  if (maxEntries !== undefined && !(typeof maxEntries === "number" && Number.isSafeInteger(maxEntries) && maxEntries >= 0))
    throw new VarveError("CONFIG_INVALID", `${path}: history.maxEntries is no number of records`);
  return {
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    ...(maxEntries === undefined ? {} : { maxEntries }),
  };
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
