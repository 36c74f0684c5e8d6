import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { isVarveError, VarveError } from "../errors/index.ts";
import { collectBytes, verifyDigest, type ByteSource } from "../flow/index.ts";
import {
  mediaTypes,
  parseReference,
  sha256,
  type Digest,
  type ImageReference,
} from "../oci/index.ts";
import { createRegistryClient, type RegistryClient, type RegistryClientOptions } from "./index.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, asked: string[]) => void;
interface Fake {
  readonly host: string;
  /** `METHOD /path?query` of every request so far. */
  readonly asked: string[];
  readonly headers: IncomingMessage["headers"][];
}

/** A server that answers as the test says, on a port of its own, until the test ends. */
async function serve(t: TestContext, handler: Handler): Promise<Fake> {
  const asked: string[] = [];
  const headers: IncomingMessage["headers"][] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    headers.push(request.headers);
    request.resume();
    handler(request, response, asked);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked, headers };
}

function connect(t: TestContext, options: Partial<RegistryClientOptions> = {}): RegistryClient {
  const { limits, ...rest } = options;
  const client = createRegistryClient({
    userAgent: "varve-test",
    limits: { retryDelayMs: 1, maxRetryDelayMs: 5, ...limits },
    ...rest,
  });
  t.after(() => client.close());
  return client;
}

const answer = (
  response: ServerResponse,
  status: number,
  headers: Record<string, string | number> = {},
  body: string | Uint8Array = "",
): void => {
  response.writeHead(status, headers).end(body);
};
const failure = (code: string, message: string): string =>
  JSON.stringify({ errors: [{ code, message }] });
const collect = (source: ByteSource): Promise<Uint8Array> =>
  collectBytes(source, { maxBytes: 1e8 });

const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: sha256("c"), size: 1 },
    layers: [],
  }),
);
const blob = Buffer.alloc(300_000, "layer");
const blobDescriptor = { digest: sha256(blob), size: blob.length };
const manifestHeaders = {
  "content-type": mediaTypes.ociManifest,
  "docker-content-digest": sha256(manifest),
  "content-length": manifest.length,
};
const serveManifest = (request: IncomingMessage, response: ServerResponse): void =>
  answer(response, 200, manifestHeaders, request.method === "HEAD" ? "" : manifest);
const imageAt = (fake: Fake, name = "app:v1"): ImageReference =>
  parseReference(`${fake.host}/${name}`);

test("a tag is resolved by HEAD, and its manifest fetched by digest and verified", async (t) => {
  const fake = await serve(t, serveManifest);
  const client = connect(t);
  const { descriptor, bytes } = await client.resolve(imageAt(fake));
  assert.deepEqual(
    [descriptor, bytes],
    [
      { mediaType: mediaTypes.ociManifest, digest: sha256(manifest), size: manifest.length },
      undefined,
    ],
  );
  const fetched = await client.fetchManifest(imageAt(fake), descriptor);
  assert.deepEqual(
    [Buffer.from(fetched.bytes), fetched.mediaType],
    [manifest, mediaTypes.ociManifest],
  );
  assert.deepEqual(fake.asked, [
    "HEAD /v2/app/manifests/v1",
    `GET /v2/app/manifests/${sha256(manifest)}`,
  ]);
  assert.equal(fake.headers[0]?.["user-agent"], "varve-test");
  assert.match(fake.headers[0]?.accept ?? "", /oci\.image\.index/);
});

test("a registry without HEAD or digest header is asked by GET, and a missing type is read from the document", async (t) => {
  const fake = await serve(t, (request, response) =>
    request.method === "HEAD"
      ? answer(response, 405)
      : answer(response, 200, { "content-type": "application/json" }, manifest),
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

test("the token flow sends credentials to the realm only, once for a scope, and again when the token is worn out", async (t) => {
  let valid = "";
  const realm = await serve(t, (request, response, asked) => {
    if (request.headers.authorization !== `Basic ${Buffer.from("me:se:cret").toString("base64")}`)
      return answer(response, 401);
    valid = `token-${asked.length}`;
    answer(response, 200, {}, JSON.stringify({ token: valid, expires_in: 300 }));
  });
  const fake = await serve(t, (request, response) => {
    if (request.headers.authorization === `Bearer ${valid}`)
      return serveManifest(request, response);
    answer(response, 401, {
      "www-authenticate": `Bearer realm="http://${realm.host}/token?x=1",service="the registry",scope="repository:app:pull"`,
    });
  });
  const hosts: string[] = [];
  const client = connect(t, {
    credentials: async (host) => (hosts.push(host), { username: "me", password: "se:cret" }),
  });
  await Promise.all([client.resolve(imageAt(fake)), client.resolve(imageAt(fake))]);
  await client.resolve(imageAt(fake));
  assert.deepEqual(realm.asked, [
    "GET /token?x=1&service=the+registry&scope=repository%3Aapp%3Apull",
  ]);
  valid = "another";
  await client.resolve(imageAt(fake));
  assert.equal(realm.asked.length, 2);
  assert.deepEqual([...new Set(hosts)], [fake.host]);
  assert.ok(
    fake.headers.every(
      ({ authorization }) =>
        authorization === undefined || authorization.startsWith("Bearer token-"),
    ),
  );
});

test("an identity token is exchanged by POST, a registry token is sent as it is, basic credentials where asked for", async (t) => {
  const bodies: string[] = [];
  const fake = await serve(t, (request, response) => {
    if (request.url === "/token") {
      request.on("data", (chunk: Buffer) => bodies.push(chunk.toString()));
      return void request.on("end", () =>
        answer(response, 200, {}, JSON.stringify({ access_token: "exchanged" })),
      );
    }
    if (/^(Bearer (exchanged|ready)|Basic bWU6cGFzcw==)$/.test(request.headers.authorization ?? ""))
      return serveManifest(request, response);
    const scheme =
      request.url?.includes("basic") === true
        ? 'Basic realm="x"'
        : `Bearer realm="http://${fake.host}/token",service=s`;
    answer(response, 401, { "www-authenticate": scheme });
  });
  await connect(t, { credentials: async () => ({ identityToken: "id" }) }).resolve(imageAt(fake));
  assert.equal(new URLSearchParams(bodies.join("")).get("refresh_token"), "id");
  await connect(t, { credentials: async () => ({ registryToken: "ready" }) }).resolve(
    imageAt(fake),
  );
  await connect(t, { credentials: async () => ({ username: "me", password: "pass" }) }).resolve(
    imageAt(fake, "basic"),
  );
  await assert.rejects(connect(t).resolve(imageAt(fake, "basic")), { code: "REGISTRY_DENIED" });
});

test("refusals are told in Docker's words, without secrets", async (t) => {
  const fake = await serve(t, (request, response) => {
    if (request.url?.includes("missing") === true)
      return answer(response, 404, {}, failure("MANIFEST_UNKNOWN", "manifest unknown"));
    if (request.url?.includes("teapot") === true)
      return answer(response, 418, {}, failure("X", "a\u001b[31m\nb"));
    answer(response, 401, { "www-authenticate": 'Basic realm="x"' }, failure("DENIED", "no"));
  });
  const client = connect(t, {
    credentials: async () => ({ username: "me", password: "hidden-secret" }),
  });
  const errors = await Promise.all(
    ["private", "missing:v2", "teapot"].map((name) =>
      client.resolve(imageAt(fake, name)).catch((error: unknown) => error),
    ),
  );
  assert.ok(errors.every(isVarveError));
  assert.deepEqual(
    errors.map((error) => (error as VarveError).code),
    ["REGISTRY_DENIED", "REGISTRY_NOT_FOUND", "REGISTRY_PROTOCOL"],
  );
  assert.match(
    (errors[0] as Error).message,
    new RegExp(
      `^pull access denied for ${fake.host}/private, repository does not exist or may require authorization`,
    ),
  );
  assert.match(
    (errors[1] as Error).message,
    /^manifest for 127\.0\.0\.1:\d+\/missing:v2 not found/,
  );
  const told = errors.map((error) => (error as Error).message + JSON.stringify(error)).join();
  assert.ok(
    !told.includes("hidden") &&
      !told.includes(Buffer.from("me:hidden-secret").toString("base64")) &&
      !(errors[2] as Error).message.includes("\u001b"),
  );
});

test("a redirect to another host is followed without credentials, ten at most", async (t) => {
  const store = await serve(t, (_request, response) => answer(response, 200, {}, blob));
  const fake = await serve(t, (request, response) => {
    if (request.url?.includes("loop") === true)
      return answer(response, 302, { location: request.url });
    if (request.headers.authorization === undefined)
      return answer(response, 401, { "www-authenticate": "Basic" });
    answer(response, 307, { location: `http://${store.host}/signed?signature=abc` });
  });
  const client = connect(t, { credentials: async () => ({ username: "me", password: "pass" }) });
  assert.ok(blob.equals(await collect(client.fetchBlob(imageAt(fake), blobDescriptor))));
  assert.deepEqual(
    [store.asked, store.headers[0]?.authorization],
    [["GET /signed?signature=abc"], undefined],
  );
  await assert.rejects(client.resolve(imageAt(fake, "loop")), {
    code: "REGISTRY_PROTOCOL",
    message: /more than 10 times/,
  });
});

test("429 and 5xx are tried again, for as long as Retry-After asks within bounds, and told in the end", async (t) => {
  const fake = await serve(t, (request, response, asked) => {
    if (request.url?.includes("busy") === true)
      return answer(
        response,
        429,
        { "retry-after": "3600" },
        failure("TOOMANYREQUESTS", "slow down"),
      );
    if (request.url?.includes("down") === true) return answer(response, 503);
    if (asked.length < 3)
      return answer(response, asked.length === 1 ? 429 : 502, { "retry-after": "0" });
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
      const start = ranges
        ? Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0)
        : 0;
      const rest = blob.subarray(start);
      response.writeHead(start > 0 ? 206 : 200, {
        "content-length": rest.length,
        ...(start > 0
          ? { "content-range": `bytes ${start}-${blob.length - 1}/${blob.length}` }
          : {}),
      });
      if (asked.length === 3) return void response.end(rest);
      response.write(rest.subarray(0, asked.length * 60_000), () =>
        setImmediate(() => response.destroy()),
      );
    });
    assert.ok(
      blob.equals(
        await collect(
          verifyDigest(
            blobDescriptor.digest,
            blob.length,
          )(connect(t).fetchBlob(imageAt(fake), blobDescriptor)),
        ),
      ),
      String(ranges),
    );
    assert.equal(fake.asked.length, 3);
  }
});

test("a blob can be asked for from an offset", async (t) => {
  const fake = await serve(t, (_request, response) => answer(response, 200, {}, blob));
  const rest = await collect(
    connect(t).fetchBlob(imageAt(fake), blobDescriptor, { offset: 299_990 }),
  );
  assert.ok(blob.subarray(299_990).equals(rest));
  assert.equal(fake.headers[0]?.range, "bytes=299990-");
});

test("a registry that always breaks off, hangs, or sends too much ends in an error or at the promised size", async (t) => {
  const fake = await serve(t, (request, response) => {
    if (request.url?.includes("/hang/") === true)
      return void response.writeHead(200, { "content-length": "5" }).write("ab");
    if (request.url?.includes("/mute/") === true) return;
    if (request.url?.includes("/long/") === true)
      return answer(response, 200, {}, Buffer.alloc(1_000_000));
    response.writeHead(200, { "content-length": "10" });
    response.write("", () => response.destroy());
  });
  const client = connect(t, { limits: { idleTimeoutMs: 20, headersTimeoutMs: 20, attempts: 2 } });
  const small = { digest: sha256("abcde"), size: 5 };
  await assert.rejects(collect(client.fetchBlob(imageAt(fake, "broken"), small)), {
    code: "REGISTRY_UNREACHABLE",
  });
  await assert.rejects(collect(client.fetchBlob(imageAt(fake, "hang"), small)), {
    code: "TIMED_OUT",
    message: /sent nothing/,
  });
  await assert.rejects(collect(client.fetchBlob(imageAt(fake, "mute"), small)), {
    code: "TIMED_OUT",
    message: /waiting for the answer/,
  });
  assert.ok((await collect(client.fetchBlob(imageAt(fake, "long"), small))).length < 200_000);
  await assert.rejects(
    collect(verifyDigest(small.digest, 5)(client.fetchBlob(imageAt(fake, "long"), small))),
    { code: "CONTENT_DIGEST_MISMATCH" },
  );
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
  await assert.rejects(
    collect(client.fetchBlob(imageAt(fake), blobDescriptor, { signal: controllers[1]?.signal })),
    stop,
  );
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
  await connect(t, { config: { [origin.host]: { mirrors: [empty.host] } } }).resolve(
    imageAt(origin),
  );
  assert.equal(origin.asked[0], "HEAD /v2/app/manifests/v1");
});

test("a push skips what is there, mounts what may be mounted, and uploads the rest where it is told", async (t) => {
  const stored: Digest[] = [];
  const fake = await serve(t, (request, response, asked) => {
    const { url = "" } = request;
    if (request.method === "HEAD") return answer(response, url.includes("/there/") ? 200 : 404);
    if (request.method === "POST")
      return url.includes("mount=")
        ? answer(response, 201)
        : answer(response, 202, { location: "/upload/1?state=a%2Bb" });
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
  assert.deepEqual(
    await client.pushBlob(imageAt(fake, "there"), blobDescriptor, () => assert.fail("opened")),
    { how: "exists" },
  );
  assert.deepEqual(
    await client.pushBlob(imageAt(fake), blobDescriptor, () => assert.fail("opened"), {
      mountFrom: "base",
    }),
    { how: "mounted" },
  );
  assert.deepEqual(await client.pushBlob(imageAt(fake), blobDescriptor, source), {
    how: "uploaded",
  });
  assert.deepEqual(stored, [blobDescriptor.digest]);
  assert.ok(
    fake.asked.includes(
      `PUT /upload/1?state=a%2Bb&digest=${encodeURIComponent(blobDescriptor.digest)}`,
    ),
  );
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
  await assert.rejects(
    connect(t).pushBlob(imageAt(fake), { digest: sha256("x"), size: 1e12 }, endless),
    { code: "REGISTRY_PROTOCOL", message: /413.*too large/ },
  );
  assert.equal(opened, 1);
});
