import assert from "node:assert/strict";
import { test } from "node:test";
import { isVarveError, VarveError } from "../errors/index.ts";
import {
  serve,
  connect,
  answer,
  failure,
  collect,
  blob,
  blobDescriptor,
  serveManifest,
  imageAt,
} from "./fake-registry.kit.test.ts";

test("the token flow sends credentials to the realm only, once for a scope, and again when the token is worn out", async (t) => {
  let valid = "";
  const realm = await serve(t, (request, response, asked) => {
    if (request.headers.authorization !== `Basic ${Buffer.from("me:se:cret").toString("base64")}`) return answer(response, 401);
    valid = `token-${asked.length}`;
    answer(response, 200, {}, JSON.stringify({ token: valid, expires_in: 300 }));
  });
  const fake = await serve(t, (request, response) => {
    if (request.headers.authorization === `Bearer ${valid}`) return serveManifest(request, response);
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
  assert.deepEqual(realm.asked, ["GET /token?x=1&service=the+registry&scope=repository%3Aapp%3Apull"]);
  valid = "another";
  await client.resolve(imageAt(fake));
  assert.equal(realm.asked.length, 2);
  assert.deepEqual([...new Set(hosts)], [fake.host]);
  assert.ok(fake.headers.every(({ authorization }) => authorization === undefined || authorization.startsWith("Bearer token-")));
});

test("an identity token is exchanged by POST, a registry token is sent as it is, basic credentials where asked for", async (t) => {
  const bodies: string[] = [];
  const fake = await serve(t, (request, response) => {
    if (request.url === "/token") {
      request.on("data", (chunk: Buffer) => bodies.push(chunk.toString()));
      return void request.on("end", () => answer(response, 200, {}, JSON.stringify({ access_token: "exchanged" })));
    }
    if (/^(Bearer (exchanged|ready)|Basic bWU6cGFzcw==)$/.test(request.headers.authorization ?? ""))
      return serveManifest(request, response);
    const scheme =
      request.url?.includes("basic") === true ? 'Basic realm="x"' : `Bearer realm="http://${fake.host}/token",service=s`;
    answer(response, 401, { "www-authenticate": scheme });
  });
  await connect(t, { credentials: async () => ({ identityToken: "id" }) }).resolve(imageAt(fake));
  assert.equal(new URLSearchParams(bodies.join("")).get("refresh_token"), "id");
  await connect(t, { credentials: async () => ({ registryToken: "ready" }) }).resolve(imageAt(fake));
  await connect(t, { credentials: async () => ({ username: "me", password: "pass" }) }).resolve(imageAt(fake, "basic"));
  await assert.rejects(connect(t).resolve(imageAt(fake, "basic")), { code: "REGISTRY_DENIED" });
});

test("refusals are told in Docker's words, without secrets", async (t) => {
  const fake = await serve(t, (request, response) => {
    if (request.url?.includes("missing") === true)
      return answer(response, 404, {}, failure("MANIFEST_UNKNOWN", "manifest unknown"));
    if (request.url?.includes("teapot") === true) return answer(response, 418, {}, failure("X", "a\u001b[31m\nb"));
    answer(response, 401, { "www-authenticate": 'Basic realm="x"' }, failure("DENIED", "no"));
  });
  const client = connect(t, {
    credentials: async () => ({ username: "me", password: "hidden-secret" }),
  });
  const errors = await Promise.all(
    ["private", "missing:v2", "teapot"].map((name) => client.resolve(imageAt(fake, name)).catch((error: unknown) => error)),
  );
  assert.ok(errors.every(isVarveError));
  assert.deepEqual(
    errors.map((error) => (error as VarveError).code),
    ["REGISTRY_DENIED", "REGISTRY_NOT_FOUND", "REGISTRY_PROTOCOL"],
  );
  assert.match(
    (errors[0] as Error).message,
    new RegExp(`^pull access denied for ${fake.host}/private, repository does not exist or may require authorization`),
  );
  assert.match((errors[1] as Error).message, /^manifest for 127\.0\.0\.1:\d+\/missing:v2 not found/);
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
    if (request.url?.includes("loop") === true) return answer(response, 302, { location: request.url });
    if (request.headers.authorization === undefined) return answer(response, 401, { "www-authenticate": "Basic" });
    answer(response, 307, { location: `http://${store.host}/signed?signature=abc` });
  });
  const client = connect(t, { credentials: async () => ({ username: "me", password: "pass" }) });
  assert.ok(blob.equals(await collect(client.fetchBlob(imageAt(fake), blobDescriptor))));
  assert.deepEqual([store.asked, store.headers[0]?.authorization], [["GET /signed?signature=abc"], undefined]);
  await assert.rejects(client.resolve(imageAt(fake, "loop")), {
    code: "REGISTRY_PROTOCOL",
    message: /more than 10 times/,
  });
});
