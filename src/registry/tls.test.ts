import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createPlainServer, type RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { mediaTypes, parseReference, sha256 } from "../oci/index.ts";
import { createRegistryClient, type RegistryHostConfig } from "./index.ts";

/** For localhost and 127.0.0.1 from 2020 on, made for this test, worth nothing. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgdpuA+HtacAF7TpTy
wH29YMpOh0OsnwsnopF6/dnaFHqhRANCAATTpiy+IOgdsX0mXBMTwzS/TCrNUh/E
hZysOH4V2Hzdp/PltzSOUleaTyHKtu3opoTqkPQyPS67abQoax8y/nYk
-----END PRIVATE KEY-----
`;
const cert = `-----BEGIN CERTIFICATE-----
MIIBZzCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNOmLL4g6B2xfSZc
ExPDNL9MKs1SH8SFnKw4fhXYfN2n8+W3NI5SV5pPIcq27eimhOqQ9DI9LrtptChr
HzL+diSjTjBMMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAPBgNVHRMBAf8E
BTADAQH/MB0GA1UdDgQWBBQXVfgKpg8QS1zAD66l6gnqUgdRTDAKBggqhkjOPQQD
AgNIADBFAiBA1XNERZfEpEyp98p+hjCCAqg1wRn54w7+/lODgWvsiAIhANQnTKZ+
KAogXaBF526ijRa7Zjet0160Ew//aPmCp2wg
-----END CERTIFICATE-----
`;

const manifest = "{}";
const listener: RequestListener = (request, response) => {
  response.writeHead(200, {
    "content-type": mediaTypes.ociManifest,
    "docker-content-digest": sha256(manifest),
    "content-length": manifest.length,
  });
  response.end(request.method === "HEAD" ? undefined : manifest);
};

async function serve(
  t: TestContext,
  server: ReturnType<typeof createServer> | ReturnType<typeof createPlainServer>,
): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function resolveWith(t: TestContext, host: string, settings: RegistryHostConfig): Promise<string> {
  const client = createRegistryClient({
    userAgent: "varve-test",
    config: { [host]: settings },
    limits: { attempts: 2, retryDelayMs: 1 },
  });
  t.after(() => client.close());
  return (await client.resolve(parseReference(`${host}/app`))).descriptor.digest;
}

test("W07 a certificate is trusted when it is in ca, or when any is (insecure), and else refused with the way out", async (t) => {
  const host = await serve(t, createServer({ key, cert }, listener));
  const folder = mkdtempSync(join(tmpdir(), "varve-registry-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "ca.pem"), cert);
  assert.equal(await resolveWith(t, host, { http: false, ca: [join(folder, "ca.pem")] }), sha256(manifest));
  assert.equal(await resolveWith(t, host, { http: false, insecure: true }), sha256(manifest));
  await assert.rejects(
    resolveWith(t, host, { http: false }),
    (error: { code: string; hint: string }) => error.code === "REGISTRY_UNREACHABLE" && /ca = \["file\.pem"\]/.test(error.hint),
  );
  await assert.rejects(resolveWith(t, host, { http: false, ca: [join(folder, "none.pem")] }), {
    code: "REGISTRY_CONFIG",
  });
});

test("W07 plain HTTP is spoken to loopback addresses, by setting, or as the fallback of an insecure registry", async (t) => {
  const host = await serve(t, createPlainServer(listener));
  assert.equal(await resolveWith(t, host, {}), sha256(manifest));
  assert.equal(await resolveWith(t, host, { http: true, insecure: true }), sha256(manifest));
  await assert.rejects(
    resolveWith(t, host, { http: false }),
    (error: { code: string; hint: string }) => error.code === "REGISTRY_UNREACHABLE" && /http = true/.test(error.hint),
  );
});

test("a host that refuses connections is told at once", async (t) => {
  const server = createPlainServer(listener);
  const host = await serve(t, server);
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(resolveWith(t, host, {}), {
    code: "REGISTRY_UNREACHABLE",
    message: /ECONNREFUSED/,
  });
});

test("an upload to a registry with TLS is not sent on without it", async (t) => {
  const plain = await serve(t, createPlainServer(listener));
  const host = await serve(
    t,
    createServer({ key, cert }, (request, response) => {
      if (request.method === "HEAD") response.writeHead(404).end();
      else response.writeHead(202, { location: `http://${plain}/upload` }).end();
    }),
  );
  const client = createRegistryClient({ userAgent: "varve-test", config: { [host]: { http: false, insecure: true } } });
  t.after(() => client.close());
  const bytes = Buffer.from("layer");
  const open = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  await assert.rejects(client.pushBlob(parseReference(`${host}/app`), { digest: sha256(bytes), size: bytes.length }, open), {
    code: "REGISTRY_PROTOCOL",
    message: /without encryption/,
  });
});
