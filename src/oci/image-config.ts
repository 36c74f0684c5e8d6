import { isDigest } from "./digest.ts";
import {
  expectArray,
  expectObject,
  expectText,
  expectTextMap,
  expectTexts,
  invalidDocument,
  maxLayers,
  readObject,
  withoutNulls,
  type JsonObject,
} from "./document.ts";
import type { ImageConfig } from "./types.ts";

const what = "image config";
const topTexts = ["created", "author", "variant", "os.version"];
const configTexts = ["User", "WorkingDir", "StopSignal"];
const configLists = ["Env", "Entrypoint", "Cmd", "OnBuild", "Shell"];
const configSets = ["ExposedPorts", "Volumes"];
const healthNumbers = ["Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"];
const configKeys = [...configTexts, ...configLists, ...configSets, "Labels", "Healthcheck", "ArgsEscaped"];

/**
 * Reads an image's config with Docker's extensions (OCI image-spec, config.md). Known members have their shapes checked,
 * and are absent where the document says null; members that are not known stay in the value. Empty `architecture` or `os` is
 * `IMAGE_INVALID`: nothing could tell where such an image runs.
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const document = withoutNulls(readObject(bytes, what), [...topTexts, "os.features", "config", "history"]);
  for (const key of ["architecture", "os"]) {
    const value = document[key];
    if (typeof value !== "string" || value === "") throw invalidDocument(what, `it does not say its ${key}`);
  }
  for (const key of topTexts) expectText(document[key], what, key);
  expectTexts(document["os.features"], what, "os.features");
  document["rootfs"] = readRootfs(document["rootfs"]);
  if (document["config"] !== undefined) document["config"] = readContainerConfig(document["config"]);
  if (document["history"] !== undefined) {
    document["history"] = expectArray(document["history"], what, "history", maxLayers * 4).map((entry, i) =>
      readHistory(entry, `history[${i}]`),
    );
  }
  return document as unknown as ImageConfig;
}

function readRootfs(value: unknown): JsonObject {
  const rootfs = expectObject(value, what, "rootfs");
  if (rootfs["type"] !== "layers") throw invalidDocument(what, 'rootfs.type is not "layers"');
  const diffIds = expectArray(rootfs["diff_ids"] ?? [], what, "rootfs.diff_ids", maxLayers);
  if (!diffIds.every(isDigest)) throw invalidDocument(what, "rootfs.diff_ids holds a text that is not a digest");
  return { ...rootfs, diff_ids: diffIds };
}

function readContainerConfig(value: unknown): JsonObject {
  const config = withoutNulls(expectObject(value, what, "config"), configKeys);
  for (const key of configTexts) expectText(config[key], what, `config.${key}`);
  for (const key of configLists) expectTexts(config[key], what, `config.${key}`);
  expectTextMap(config["Labels"], what, "config.Labels");
  if (config["ArgsEscaped"] !== undefined && typeof config["ArgsEscaped"] !== "boolean")
    throw invalidDocument(what, "config.ArgsEscaped is not true or false");
  for (const key of configSets) {
    if (config[key] !== undefined) config[key] = readSet(config[key], `config.${key}`);
  }
  if (config["Healthcheck"] !== undefined) config["Healthcheck"] = readHealth(config["Healthcheck"]);
  return config;
}

/** Docker writes sets as objects whose values are empty objects. */
function readSet(value: unknown, place: string): JsonObject {
  const members = Object.entries(expectObject(value, what, place));
  return Object.fromEntries(members.map(([key, member]) => [key, expectObject(member ?? {}, what, `a member of ${place}`)]));
}

function readHealth(value: unknown): JsonObject {
  const health = withoutNulls(expectObject(value, what, "config.Healthcheck"), ["Test", ...healthNumbers]);
  expectTexts(health["Test"], what, "config.Healthcheck.Test");
  for (const key of healthNumbers) {
    if (health[key] !== undefined && !Number.isSafeInteger(health[key]))
      throw invalidDocument(what, `config.Healthcheck.${key} is not a whole number`);
  }
  return health;
}

function readHistory(value: unknown, place: string): JsonObject {
  const keys = ["created", "created_by", "author", "comment"];
  const entry = withoutNulls(expectObject(value, what, place), [...keys, "empty_layer"]);
  for (const key of keys) expectText(entry[key], what, `${place}.${key}`);
  if (entry["empty_layer"] !== undefined && typeof entry["empty_layer"] !== "boolean")
    throw invalidDocument(what, `${place}.empty_layer is not true or false`);
  return entry;
}
