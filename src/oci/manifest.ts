import { VarveError } from "../errors/index.ts";
import {
  expectArray,
  expectDescriptor,
  expectText,
  expectTextMap,
  invalidDocument,
  maxLayers,
  maxManifests,
  readObject,
  withoutNulls,
  type JsonObject,
} from "./document.ts";
import { isIndex, isManifest } from "./media-types.ts";
import type { Descriptor, Index, Manifest } from "./types.ts";

const descriptorNulls = ["urls", "annotations", "platform", "data", "artifactType"];

/**
 * Reads an OCI manifest or a Docker manifest of schema 2. Members that are not known stay in the value. Bytes that could
 * also be read as an index are refused (OCI image-spec 1.0.2, security advisory on ambiguous documents).
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  const document = readDocument(bytes, "manifest", isManifest, "manifests");
  const what = "manifest";
  const layers = expectArray(document["layers"] ?? [], what, "layers", maxLayers).map((layer, i) =>
    descriptor(layer, what, `layers[${i}]`),
  );
  return {
    ...document,
    config: descriptor(document["config"], what, "config"),
    layers,
  } as unknown as Manifest;
}

/** Reads an OCI index or a Docker manifest list, as strictly as {@link parseManifest}. */
export function parseIndex(bytes: Uint8Array): Index {
  const document = readDocument(bytes, "index", isIndex, "layers", "config");
  const what = "index";
  const entries = expectArray(document["manifests"] ?? [], what, "manifests", maxManifests);
  return {
    ...document,
    manifests: entries.map((entry, i) => descriptor(entry, what, `manifests[${i}]`)),
  } as unknown as Index;
}

/** Whether a document is an index, where its media type is not known: it lists manifests. */
export function listsManifests(bytes: Uint8Array): boolean {
  return readObject(bytes, "manifest")["manifests"] !== undefined;
}

function readDocument(bytes: Uint8Array, what: string, fits: (mediaType: string) => boolean, ...foreign: string[]): JsonObject {
  const document = withoutNulls(readObject(bytes, what), ["mediaType", "artifactType", "subject", "annotations", ...foreign]);
  if (document["schemaVersion"] === 1) {
    throw new VarveError("IMAGE_SCHEMA1", "the image is in Docker's manifest format schema 1, which is no longer supported", {
      hint: "push the image again with a current builder",
    });
  }
  if (document["schemaVersion"] !== 2) throw invalidDocument(what, "its schemaVersion is not 2");
  const { mediaType } = document;
  if (mediaType !== undefined && (typeof mediaType !== "string" || !fits(mediaType))) {
    throw invalidDocument(what, `its media type is ${JSON.stringify(mediaType)?.slice(0, 200)}`);
  }
  const stranger = foreign.find((key) => document[key] !== undefined);
  if (stranger !== undefined) throw invalidDocument(what, `it also has "${stranger}", which makes it ambiguous`);
  expectText(document["artifactType"], what, "artifactType");
  expectTextMap(document["annotations"], what, "annotations");
  return document["subject"] === undefined
    ? document
    : { ...document, subject: descriptor(document["subject"], what, "subject") };
}

function descriptor(value: unknown, what: string, place: string): Descriptor {
  const plain =
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? withoutNulls(value as JsonObject, descriptorNulls)
      : value;
  expectDescriptor(plain, what, place);
  return plain as Descriptor;
}
