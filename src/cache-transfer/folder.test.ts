import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseReference, sha256 } from "../oci/index.ts";
import type { SolvedVertex } from "../solver/index.ts";
import { exportCache, type CacheTarget } from "./export-cache.ts";
import { createFolderTarget, findInCacheFolder } from "./folder.ts";
import { createRegistryTarget } from "./registry-target.ts";
import type { CacheLayer } from "./types.ts";

const { signal } = new AbortController();
const bytesOf = async function* (text: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(text);
};
const layer = (text: string, content = text): CacheLayer => ({
  blob: { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: sha256(text), size: text.length },
  diffId: sha256(text),
  open: () => bytesOf(content),
});
const vertex: SolvedVertex = { id: "v", name: "v", key: "a".repeat(64), inputKeys: [], wholeInputKeys: [], volatile: false };
const write = async (target: CacheTarget, chain: readonly CacheLayer[]) =>
  await exportCache({
    vertices: [vertex],
    results: new Map([[vertex.key, chain]]),
    target,
    imageManifest: true,
    ociMediaTypes: true,
    signal,
  });

function folder(t: { after(done: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), "varve-cache-folder-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}
const blobsIn = (path: string) => readdirSync(join(path, "blobs/sha256"));

test("Q03 a folder holds a cache for each tag; reset removes what no tag needs", async (t) => {
  const path = folder(t);
  const target = (tag: string, reset = false) => createFolderTarget(path, { tag, reset });
  const first = await write(target("one"), [layer("first")]);
  await write(target("two"), [layer("kept")]);
  assert.equal(await findInCacheFolder(path, "one"), first?.digest);
  const second = await write(target("one"), [layer("second")]);
  assert.equal(await findInCacheFolder(path, "one"), second?.digest);
  assert.equal(blobsIn(path).length, 9, "the old cache's blobs stay");
  await write(target("one", true), [layer("second")]);
  assert.equal(blobsIn(path).length, 6);
  assert.ok(blobsIn(path).includes(sha256("kept").slice(7)));
  await assert.rejects(findInCacheFolder(path, "three"), { code: "CACHE_NOT_FOUND" });
  await assert.rejects(findInCacheFolder(join(path, "missing"), "one"), { code: "CACHE_NOT_FOUND" });
});

test("Q03 caches that are written to one folder at the same time stand in it beside each other", async (t) => {
  const path = folder(t);
  const tags = ["one", "two", "three", "four"];
  const written = await Promise.all(
    tags.map(async (tag) => await write(createFolderTarget(path, { tag, reset: false }), [layer(tag)])),
  );
  for (const [index, tag] of tags.entries()) assert.equal(await findInCacheFolder(path, tag), written[index]?.digest, tag);
});

test("a layer that is not what it was said to be leaves the old cache, and no file of the new one", async (t) => {
  const path = folder(t);
  const target = createFolderTarget(path, { tag: "latest", reset: true });
  const before = await write(target, [layer("good")]);
  const index = readFileSync(join(path, "index.json"));
  const blobs = blobsIn(path);
  await assert.rejects(write(target, [layer("promised", "otherwis")]), { code: "CONTENT_DIGEST_MISMATCH" });
  assert.deepEqual(readFileSync(join(path, "index.json")), index);
  assert.deepEqual(blobsIn(path), blobs);
  assert.equal(await findInCacheFolder(path, "latest"), before?.digest);
});

test("what a killed writer left is removed by a later one; a younger file may be somebody's", async (t) => {
  const path = folder(t);
  const target = createFolderTarget(path, { tag: "latest", reset: false });
  await write(target, [layer("a")]);
  const old = join(path, "blobs/sha256/.varve-0123456789abcdef.tmp");
  const young = join(path, ".varve-fedcba9876543210.tmp");
  for (const file of [old, young]) writeFileSync(file, "half");
  utimesSync(old, 1, 1);
  await write(createFolderTarget(path, { tag: "latest", reset: false }), [layer("b")]);
  assert.ok(!blobsIn(path).some((name) => name.startsWith(".")));
  assert.ok(readdirSync(path).includes(".varve-fedcba9876543210.tmp"));
});

test("a folder that is none, and an index that is none, are told", async (t) => {
  const path = folder(t);
  writeFileSync(join(path, "file"), "");
  const target = createFolderTarget(join(path, "file"), { tag: "latest", reset: false });
  await assert.rejects(write(target, [layer("a")]), { code: "CACHE_EXPORT_FAILED" });
  writeFileSync(join(path, "index.json"), "[]");
  await assert.rejects(findInCacheFolder(path, "latest"), { code: "CACHE_INVALID" });
});

test("Q13 without a layer nothing is written; Docker's media types need an index", async (t) => {
  const path = folder(t);
  const target = createFolderTarget(path, { tag: "latest", reset: false });
  assert.equal(await write(target, []), undefined);
  assert.deepEqual(readdirSync(path), []);
  const options = { vertices: [vertex], results: new Map(), target, imageManifest: true, ociMediaTypes: false, signal };
  await assert.rejects(exportCache(options), { code: "CACHE_OPTIONS" });
});

test("Q02 blobs go to a registry before the manifest; those of a neighbour are mounted from it", async () => {
  const calls: string[] = [];
  const target = createRegistryTarget(
    {
      async pushBlob(reference, { digest }, _open, options) {
        calls.push(`${reference.path} ${digest} ${[options?.mountFrom ?? "-"].flat().join()}`);
        return { how: "uploaded" };
      },
      async pushManifest(_, mediaType, bytes) {
        calls.push("manifest");
        return { mediaType, digest: sha256(bytes), size: bytes.length };
      },
    },
    parseReference("r.example/app:cache"),
  );
  const near = { ...layer("near"), from: parseReference("r.example/other:x") };
  const far = { ...layer("far"), from: parseReference("q.example/other:x") };
  await write(target, [near, far, { ...layer("own"), from: parseReference("r.example/app:old") }]);
  assert.deepEqual(
    calls.slice(0, 3).toSorted(),
    [`app ${sha256("far")} -`, `app ${sha256("near")} other`, `app ${sha256("own")} -`].toSorted(),
  );
  assert.equal(calls.length, 5);
  assert.equal(calls.at(-1), "manifest");
});
