/**
 * What the OCI image-spec requires of every document of an image, read from a layout folder: the fields that its schemas (v1.1)
 * call required, their types and patterns, and that every blob is what its descriptor says.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

type Json = Readonly<Record<string, unknown>>;

const mediaType = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;
const digest = /^sha256:[a-f0-9]{64}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Checks all documents of a layout; returns how many manifests there are. */
export function checkLayout(folder: string): number {
  assert.deepEqual(JSON.parse(readFileSync(`${folder}/oci-layout`, "utf8")), { imageLayoutVersion: "1.0.0" });
  return checkIndex(JSON.parse(readFileSync(`${folder}/index.json`, "utf8")) as Json, folder);
}

function checkIndex(index: Json, folder: string): number {
  assert.equal(index["schemaVersion"], 2);
  checkAnnotations(index["annotations"]);
  let manifests = 0;
  for (const entry of listOf(index["manifests"])) {
    const bytes = checkBlob(entry, folder);
    const document = JSON.parse(bytes.toString()) as Json;
    assert.equal(document["mediaType"], entry["mediaType"]);
    if (entry["platform"] !== undefined) {
      const { architecture, os } = entry["platform"] as Json;
      assert.equal(typeof architecture, "string");
      assert.equal(typeof os, "string");
    }
    if (/index/.test(String(entry["mediaType"]))) manifests += checkIndex(document, folder);
    else {
      checkManifest(document, folder);
      manifests += 1;
    }
  }
  return manifests;
}

function checkManifest(manifest: Json, folder: string): void {
  assert.equal(manifest["schemaVersion"], 2);
  checkAnnotations(manifest["annotations"]);
  const layers = listOf(manifest["layers"]);
  assert.ok(layers.length > 0, "a manifest has at least one layer");
  for (const layer of layers) checkBlob(layer, folder);
  const config = JSON.parse(checkBlob(manifest["config"] as Json, folder).toString()) as Json;
  assert.equal(typeof config["architecture"], "string");
  assert.equal(typeof config["os"], "string");
  if (config["created"] !== undefined) assert.match(config["created"] as string, time);
  const rootfs = config["rootfs"] as Json;
  assert.equal(rootfs["type"], "layers");
  const diffIds = rootfs["diff_ids"] as readonly string[];
  assert.equal(diffIds.length, layers.length);
  for (const diffId of diffIds) assert.match(diffId, digest);
  for (const entry of listOf(config["history"] ?? [])) {
    if (entry["created"] !== undefined) assert.match(entry["created"] as string, time);
    if (entry["empty_layer"] !== undefined) assert.equal(typeof entry["empty_layer"], "boolean");
    for (const key of ["author", "created_by", "comment"]) if (key in entry) assert.equal(typeof entry[key], "string");
  }
}

function checkBlob(descriptor: Json, folder: string): Buffer {
  assert.match(String(descriptor["mediaType"]), mediaType);
  assert.match(String(descriptor["digest"]), digest);
  assert.ok(Number.isSafeInteger(descriptor["size"]) && Number(descriptor["size"]) >= 0);
  checkAnnotations(descriptor["annotations"]);
  const bytes = readFileSync(`${folder}/blobs/${String(descriptor["digest"]).replace(":", "/")}`);
  assert.equal(`sha256:${createHash("sha256").update(bytes).digest("hex")}`, descriptor["digest"]);
  assert.equal(bytes.length, descriptor["size"]);
  return bytes;
}

function checkAnnotations(annotations: unknown): void {
  if (annotations === undefined) return;
  assert.ok(typeof annotations === "object" && annotations !== null && !Array.isArray(annotations));
  for (const value of Object.values(annotations)) assert.equal(typeof value, "string");
}

function listOf(value: unknown): readonly Json[] {
  assert.ok(Array.isArray(value));
  return value as readonly Json[];
}
