import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteSource } from "../flow/index.ts";
import { mediaTypes, sha256, type Digest } from "../oci/index.ts";
import { serve, connect, answer, failure, manifest, blob, blobDescriptor, imageAt } from "./fake-registry.kit.test.ts";

test("a push skips what is there, mounts what may be mounted, and uploads the rest where it is told", async (t) => {
  const stored: Digest[] = [];
  const fake = await serve(t, (request, response, asked) => {
    const { url = "" } = request;
    if (request.method === "HEAD") return answer(response, url.includes("/there/") ? 200 : 404);
    if (request.method === "POST")
      return url.includes("mount=") ? answer(response, 201) : answer(response, 202, { location: "/upload/1?state=a%2Bb" });
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (asked.filter((line) => line.startsWith("PUT")).length === 1) return answer(response, 502);
      stored.push(sha256(Buffer.concat(chunks)));
      answer(response, 201);
    });
  });
  const client = connect(t);
  const source = (): ByteSource =>
    (async function* () {
      yield blob;
    })();
  assert.deepEqual(await client.pushBlob(imageAt(fake, "there"), blobDescriptor, () => assert.fail("opened")), { how: "exists" });
  assert.deepEqual(
    await client.pushBlob(imageAt(fake), blobDescriptor, () => assert.fail("opened"), {
      mountFrom: "base",
    }),
    { how: "mounted", from: "base" },
  );
  assert.deepEqual(await client.pushBlob(imageAt(fake), blobDescriptor, source), {
    how: "uploaded",
  });
  assert.deepEqual(stored, [blobDescriptor.digest]);
  assert.ok(fake.asked.includes(`PUT /upload/1?state=a%2Bb&digest=${encodeURIComponent(blobDescriptor.digest)}`));
  assert.deepEqual(await client.pushManifest(imageAt(fake), mediaTypes.ociManifest, manifest), {
    mediaType: mediaTypes.ociManifest,
    digest: sha256(manifest),
    size: manifest.length,
  });
});

test("an upload that is refused before its end stops there", async (t) => {
  let opened = 0;
  const fake = await serve(t, (request, response) => {
    if (request.method === "HEAD") return answer(response, 404);
    if (request.method === "POST") return answer(response, 202, { location: "/upload" });
    answer(response, 413, {}, failure("SIZE_INVALID", "too large"));
  });
  const endless = (): ByteSource =>
    (async function* () {
      for (opened += 1; ;) yield Buffer.alloc(65_536);
    })();
  await assert.rejects(connect(t).pushBlob(imageAt(fake), { digest: sha256("x"), size: 1e12 }, endless), {
    code: "REGISTRY_PROTOCOL",
    message: /413.*too large/,
  });
  assert.equal(opened, 1);
});
