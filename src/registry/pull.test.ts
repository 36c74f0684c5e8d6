import assert from "node:assert/strict";
import { test } from "node:test";
import { VarveError } from "../errors/index.ts";
import { verifyDigest } from "../flow/index.ts";
import { mediaTypes, parseReference, sha256 } from "../oci/index.ts";
import {
  serve,
  connect,
  answer,
  failure,
  collect,
  manifest,
  blob,
  blobDescriptor,
  serveManifest,
  imageAt,
} from "./fake-registry.kit.test.ts";

test("a tag is resolved by HEAD, and its manifest fetched by digest and verified", async (t) => {
  const fake = await serve(t, serveManifest);
  const client = connect(t);
  const { descriptor, bytes } = await client.resolve(imageAt(fake));
  assert.deepEqual(
    [descriptor, bytes],
    [{ mediaType: mediaTypes.ociManifest, digest: sha256(manifest), size: manifest.length }, undefined],
  );
  const fetched = await client.fetchManifest(imageAt(fake), descriptor);
  assert.deepEqual([Buffer.from(fetched.bytes), fetched.mediaType], [manifest, mediaTypes.ociManifest]);
  assert.deepEqual(fake.asked, ["HEAD /v2/app/manifests/v1", `GET /v2/app/manifests/${sha256(manifest)}`]);
  assert.equal(fake.headers[0]?.["user-agent"], "varve-test");
  assert.match(fake.headers[0]?.accept ?? "", /oci\.image\.index/);
});

test("a registry without HEAD or digest header is asked by GET, and a missing type is read from the document", async (t) => {
  const fake = await serve(t, (request, response) =>
    request.method === "HEAD" ? answer(response, 405) : answer(response, 200, { "content-type": "application/json" }, manifest),
  );
  const resolved = await connect(t).resolve(imageAt(fake, "app"));
  assert.deepEqual(resolved.descriptor, {
    mediaType: mediaTypes.ociManifest,
    digest: sha256(manifest),
    size: manifest.length,
  });
  assert.deepEqual(Buffer.from(resolved.bytes ?? []), manifest);
  assert.equal(fake.asked[1], "GET /v2/app/manifests/latest");
});

test("a manifest that is not what its digest says, too large, or of schema 1 is refused", async (t) => {
  let headers: Record<string, string> = {};
  let body: Uint8Array = Buffer.from("{}");
  const fake = await serve(t, (_request, response) => answer(response, 200, headers, body));
  const client = connect(t);
  await assert.rejects(client.fetchManifest(imageAt(fake), sha256(manifest)), {
    code: "CONTENT_DIGEST_MISMATCH",
  });
  body = Buffer.alloc(4 * 1024 * 1024 + 1);
  await assert.rejects(client.fetchManifest(imageAt(fake), sha256(manifest)), {
    code: "REGISTRY_TOO_LARGE",
  });
  await assert.rejects(client.resolve(imageAt(fake)), { code: "REGISTRY_TOO_LARGE" });
  await assert.rejects(
    client.fetchManifest(imageAt(fake), {
      mediaType: mediaTypes.ociManifest,
      digest: sha256("x"),
      size: 1e9,
    }),
    { code: "REGISTRY_TOO_LARGE" },
  );
  headers = { "content-type": mediaTypes.dockerSchema1Signed };
  await assert.rejects(client.resolve(imageAt(fake)), { code: "IMAGE_SCHEMA1" });
});

test("429 and 5xx are tried again, for as long as Retry-After asks within bounds, and told in the end", async (t) => {
  const fake = await serve(t, (request, response, asked) => {
    if (request.url?.includes("busy") === true)
      return answer(response, 429, { "retry-after": "3600" }, failure("TOOMANYREQUESTS", "slow down"));
    if (request.url?.includes("down") === true) return answer(response, 503);
    if (asked.length < 3) return answer(response, asked.length === 1 ? 429 : 502, { "retry-after": "0" });
    serveManifest(request, response);
  });
  const client = connect(t);
  await client.resolve(imageAt(fake));
  assert.equal(fake.asked.length, 3);
  await assert.rejects(client.fetchManifest(imageAt(fake, "busy"), sha256("x")), {
    code: "REGISTRY_LIMITED",
    message: /TOOMANYREQUESTS: slow down/,
  });
  await assert.rejects(client.resolve(imageAt(fake, "down")), {
    code: "REGISTRY_UNREACHABLE",
    message: /answered 503/,
  });
  assert.equal(fake.asked.length, 13);
});

test("a blob that breaks off is resumed where it stood, with a server that heeds ranges and one that does not", async (t) => {
  for (const ranges of [true, false]) {
    const fake = await serve(t, (request, response, asked) => {
      const start = ranges ? Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
      const rest = blob.subarray(start);
      response.writeHead(start > 0 ? 206 : 200, {
        "content-length": rest.length,
        ...(start > 0 ? { "content-range": `bytes ${start}-${blob.length - 1}/${blob.length}` } : {}),
      });
      if (asked.length === 3) return void response.end(rest);
      response.write(rest.subarray(0, asked.length * 60_000), () => setImmediate(() => response.destroy()));
    });
    assert.ok(
      blob.equals(
        await collect(verifyDigest(blobDescriptor.digest, blob.length)(connect(t).fetchBlob(imageAt(fake), blobDescriptor))),
      ),
      String(ranges),
    );
    assert.equal(fake.asked.length, 3);
  }
});

test("a blob can be asked for from an offset", async (t) => {
  const fake = await serve(t, (_request, response) => answer(response, 200, {}, blob));
  const rest = await collect(connect(t).fetchBlob(imageAt(fake), blobDescriptor, { offset: 299_990 }));
  assert.ok(blob.subarray(299_990).equals(rest));
  assert.equal(fake.headers[0]?.range, "bytes=299990-");
});

test("a registry that always breaks off, hangs, or sends too much ends in an error or at the promised size", async (t) => {
  const fake = await serve(t, (request, response) => {
    if (request.url?.includes("/hang/") === true) return void response.writeHead(200, { "content-length": "5" }).write("ab");
    if (request.url?.includes("/mute/") === true) return;
    if (request.url?.includes("/long/") === true) return answer(response, 200, {}, Buffer.alloc(1_000_000));
    response.writeHead(200, { "content-length": "10" });
    response.write("", () => response.destroy());
  });
  const client = connect(t, { limits: { attempts: 2 } });
  const idle = connect(t, { limits: { idleTimeoutMs: 20, attempts: 2 } });
  const unanswered = connect(t, { limits: { headersTimeoutMs: 20, attempts: 2 } });
  const small = { digest: sha256("abcde"), size: 5 };
  await assert.rejects(collect(client.fetchBlob(imageAt(fake, "broken"), small)), {
    code: "REGISTRY_UNREACHABLE",
  });
  await assert.rejects(collect(idle.fetchBlob(imageAt(fake, "hang"), small)), {
    code: "TIMED_OUT",
    message: /sent (nothing|no more than \d+ bytes) for/,
  });
  await assert.rejects(collect(unanswered.fetchBlob(imageAt(fake, "mute"), small)), {
    code: "TIMED_OUT",
    message: /waiting for the answer/,
  });
  assert.ok((await collect(client.fetchBlob(imageAt(fake, "long"), small))).length < 200_000);
  await assert.rejects(collect(verifyDigest(small.digest, 5)(client.fetchBlob(imageAt(fake, "long"), small))), {
    code: "CONTENT_DIGEST_MISMATCH",
  });
});

test("a call that is canceled throws the reason, before and during the answer", async (t) => {
  const stop = new VarveError("CANCELED", "stop");
  const controllers = [new AbortController(), new AbortController()];
  const fake = await serve(t, (request, response) => {
    if (request.method === "HEAD") return controllers[0]?.abort(stop);
    response
      .writeHead(200, { "content-length": blob.length })
      .write("some", () => setTimeout(() => controllers[1]?.abort(stop), 5));
  });
  const client = connect(t);
  await assert.rejects(client.resolve(imageAt(fake), { signal: controllers[0]?.signal }), stop);
  await assert.rejects(collect(client.fetchBlob(imageAt(fake), blobDescriptor, { signal: controllers[1]?.signal })), stop);
  await assert.rejects(client.resolve(imageAt(fake), { signal: AbortSignal.abort(stop) }), stop);
});

test("mirrors are asked first, under their path and with the image's registry, and passed over when they fail", async (t) => {
  const good = await serve(t, serveManifest);
  const bad = await serve(t, (_request, response) => answer(response, 500));
  const empty = await serve(t, (_request, response) => answer(response, 404));
  const ref = parseReference("docker.io/library/alpine:3");
  const client = connect(t, {
    config: { "docker.io": { mirrors: [bad.host, empty.host, `${good.host}/proxy/hub`] } },
  });
  await client.resolve(ref);
  await client.resolve(ref);
  const query = "?ns=docker.io";
  assert.deepEqual(
    good.asked,
    Array.from({ length: 2 }, () => `HEAD /v2/proxy/hub/library/alpine/manifests/3${query}`),
  );
  assert.deepEqual([bad.asked.length, empty.asked.length], [1, 2], "a mirror that failed rests");
  const origin = await serve(t, serveManifest);
  await connect(t, { config: { [origin.host]: { mirrors: [empty.host] } } }).resolve(imageAt(origin));
  assert.equal(origin.asked[0], "HEAD /v2/app/manifests/v1");
});
