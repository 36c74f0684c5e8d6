import { VarveError } from "../errors/index.ts";
import { isDigest } from "./digest.ts";

export type JsonObject = Record<string, unknown>;

/** Room for every image in use; deeper or longer documents are not images. Sizes are limited by who fetches. */
export const maxLayers = 4096;
export const maxManifests = 16384;

/** An error about a place in a document, e.g. `IMAGE_INVALID: the manifest's layers[2].size is not a number`. */
export function invalidDocument(what: string, problem: string, cause?: unknown): VarveError {
  return new VarveError("IMAGE_INVALID", `the ${what} is not valid: ${problem}`, cause === undefined ? {} : { cause });
}

/** The JSON object that bytes spell in UTF-8. */
export function readObject(bytes: Uint8Array, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw invalidDocument(what, "it is not JSON in UTF-8", cause);
  }
  return expectObject(value, what, "it");
}

export function expectObject(value: unknown, what: string, place: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalidDocument(what, `${place} is not an object`);
  return value as JsonObject;
}

export function expectArray(value: unknown, what: string, place: string, max: number): unknown[] {
  if (!Array.isArray(value)) throw invalidDocument(what, `${place} is not a list`);
  if (value.length > max) throw invalidDocument(what, `${place} has more than ${max} entries`);
  return value;
}

/** Refuses a value that is there and no string. */
export function expectText(value: unknown, what: string, place: string): void {
  if (value !== undefined && typeof value !== "string") throw invalidDocument(what, `${place} is not a text`);
}

/** Refuses a value that is there and no list of strings. */
export function expectTexts(value: unknown, what: string, place: string): void {
  if (value === undefined) return;
  if (!Array.isArray(value) || value.some((entry) => typeof entry !== "string"))
    throw invalidDocument(what, `${place} is not a list of texts`);
}

/** Refuses a value that is there and no map from strings to strings. */
export function expectTextMap(value: unknown, what: string, place: string): void {
  if (value === undefined) return;
  for (const entry of Object.values(expectObject(value, what, place))) {
    if (typeof entry !== "string") throw invalidDocument(what, `${place} holds a value that is not a text`);
  }
}

/** Checks a descriptor: OCI image-spec, descriptor.md, "Properties". */
export function expectDescriptor(value: unknown, what: string, place: string): void {
  const descriptor = expectObject(value, what, place);
  if (typeof descriptor["mediaType"] !== "string") throw invalidDocument(what, `${place} has no media type`);
  if (!isDigest(descriptor["digest"])) throw invalidDocument(what, `${place} has no valid digest`);
  const size = descriptor["size"];
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw invalidDocument(what, `${place} has no valid size`);
  expectTexts(descriptor["urls"], what, `${place}.urls`);
  expectTextMap(descriptor["annotations"], what, `${place}.annotations`);
  expectText(descriptor["artifactType"], what, `${place}.artifactType`);
  if (descriptor["platform"] !== undefined) {
    const platform = expectObject(descriptor["platform"], what, `${place}.platform`);
    for (const key of ["architecture", "os"]) {
      if (typeof platform[key] !== "string") throw invalidDocument(what, `${place}.platform has no ${key}`);
    }
    for (const key of ["variant", "os.version"]) expectText(platform[key], what, `${place}.platform.${key}`);
    expectTexts(platform["os.features"], what, `${place}.platform.os.features`);
  }
}

/** A copy without the named members that are null: Go's encoders write null for empty, and mean absent. */
export function withoutNulls(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key, value]) => value !== null || !keys.includes(key)));
}
