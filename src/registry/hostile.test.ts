import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { mediaTypes, parseReference, sha256 } from "../oci/index.ts";
import {
  answer,
  blob,
  blobDescriptor,
  collect,
  connect,
  imageAt,
  manifest,
  serve,
  serveManifest,
} from "./fake-registry.kit.test.ts";

/** A server below HTTP. */
async function listen(t: TestContext, onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

/** For what ends by its limits; a busy machine passes them by itself. */
const quick = { attempts: 2, connectTimeoutMs: 2000, headersTimeoutMs: 100, idleTimeoutMs: 100 };

test("a web page is told as what it is, with the host that answered", async (t) => {
  const fake = await serve(t, (_request, response) =>
    answer(response, 200, { "content-type": "text/html; charset=utf-8" }, "<html>"),
  );
  const client = connect(t);
  const expected = {
    code: "REGISTRY_PROTOCOL",
    message: new RegExp(`^${fake.host} answered with text/html, not with a manifest`),
  };
  await assert.rejects(client.resolve(imageAt(fake)), expected);
  await assert.rejects(client.fetchManifest(imageAt(fake), sha256("x")), expected);
});

test("a manifest that is no JSON is told with the host", async (t) => {
  const fake = await serve(t, (_request, response) => answer(response, 200, { "content-type": mediaTypes.ociManifest }, "hello"));
  await assert.rejects(connect(t).resolve(imageAt(fake)), { code: "REGISTRY_PROTOCOL", message: new RegExp(fake.host) });
});

test("headers that never end, or are too large, end the try", async (t) => {
  const slow = await listen(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\n");
    const timer = setInterval(() => socket.write("x-more: y\r\n"), 10);
    socket.on("close", () => clearInterval(timer));
  });
  await assert.rejects(connect(t, { limits: quick }).resolve(parseReference(`${slow}/app`)), { code: "TIMED_OUT" });
  const large = await listen(t, (socket) => {
    const fill = (): void => {
      while (!socket.destroyed && socket.write(`x-more: ${"y".repeat(1000)}\r\n`));
    };
    socket.write("HTTP/1.1 200 OK\r\n");
    socket.on("drain", fill);
    fill();
  });
  await assert.rejects(connect(t).resolve(parseReference(`${large}/app`)), { code: "REGISTRY_UNREACHABLE" });
});

test("a body of a byte now and then is no progress", async (t) => {
  const fake = await serve(t, (_request, response) => {
    response.writeHead(200, { "content-length": blob.length });
    const timer = setInterval(() => response.write("x"), 5);
    response.on("close", () => clearInterval(timer));
  });
  await assert.rejects(collect(connect(t, { limits: quick }).fetchBlob(imageAt(fake), blobDescriptor)), { code: "TIMED_OUT" });
});

test("an endless body that nobody wants is not read to its end", async (t) => {
  let ended = false;
  const fake = await serve(t, (request, response) => {
    if (request.url?.includes("/manifests/") === true && request.method === "GET") return serveManifest(request, response);
    response.writeHead(401, { "www-authenticate": 'Basic realm="x"' });
    const fill = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on("drain", fill);
    response.on("close", () => (ended = true));
    fill();
  });
  await assert.rejects(collect(connect(t).fetchBlob(imageAt(fake), blobDescriptor)), { code: "REGISTRY_DENIED" });
  for (let waits = 0; !ended && waits < 6000; waits += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(ended);
});

test("a connection that is taken and never answered ends after the tries", async (t) => {
  let connections = 0;
  const host = await listen(t, () => (connections += 1));
  await assert.rejects(connect(t, { limits: quick }).resolve(parseReference(`${host}/app`)), { code: "TIMED_OUT" });
  // the second may be known to the client before it is to the server
  for (let waits = 0; connections < 2 && waits < 6000; waits += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(connections, 2);
});

test("W07 a mirror that gave wrong bytes is passed over when it is reported", async (t) => {
  const mirror = await serve(t, (_request, response) => answer(response, 200, {}, Buffer.alloc(blob.length, "wrong")));
  const fake = await serve(t, (_request, response) => answer(response, 200, {}, blob));
  const client = connect(t, { config: { [fake.host]: { mirrors: [mirror.host] } } });
  const ref = imageAt(fake);
  assert.notEqual(sha256(await collect(client.fetchBlob(ref, blobDescriptor))), blobDescriptor.digest);
  assert.equal(client.rejectBlob(ref, blobDescriptor.digest), true);
  assert.equal(sha256(await collect(client.fetchBlob(ref, blobDescriptor))), blobDescriptor.digest);
  assert.equal(client.rejectBlob(ref, blobDescriptor.digest), false);
  assert.equal(mirror.asked.length, 1);
});

test("a client certificate is shown to the registry only", async (t) => {
  // The settings name files that are not there: whoever would use them, fails.
  const fake = await serve(t, (_request, response) =>
    answer(response, 200, { "content-type": mediaTypes.ociManifest }, manifest),
  );
  const keypair = [{ key: "/nowhere/key.pem", cert: "/nowhere/cert.pem" }];
  const other = await serve(t, (_request, response) => answer(response, 307, { location: `https://${fake.host}/elsewhere` }));
  const client = connect(t, { config: { [other.host]: { keypair, http: true } }, limits: quick });
  // The other host speaks no TLS: the handshake fails, and no certificate was read for it.
  await assert.rejects(client.resolve(imageAt(other)), { code: "REGISTRY_UNREACHABLE" });
});
