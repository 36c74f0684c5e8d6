import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { collectBytes, retry, verifyDigest, type ByteSource } from "../flow/index.ts";
import { mediaTypes, parseManifest, parseReference, serializeManifest, sha256 } from "../oci/index.ts";
import { createRegistryClient, type RegistryClient } from "./index.ts";

const program = "docker-registry";
const installed = spawnSync(program, ["--version"]).error === undefined;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Distribution's own registry with a folder of its own, until the test ends. */
async function startRegistry(t: TestContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "varve-real-registry-"));
  const host = `127.0.0.1:${await freePort()}`;
  writeFileSync(
    join(folder, "config.yml"),
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${folder}/data}}\nhttp: {addr: "${host}"}\n`,
  );
  const child = spawn(program, ["serve", join(folder, "config.yml")], { stdio: "ignore" });
  t.after(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  });
  const probe = async (): Promise<void> => void (await fetch(`http://${host}/v2/`));
  await retry(probe, {
    attempts: 1200,
    shouldRetry: () => child.exitCode === null,
    delayMs: 50,
    maxDelayMs: 50,
  });
  return host;
}

const bytesOf = (bytes: Uint8Array) =>
  async function* (): ByteSource & AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
  };

async function pushImage(client: RegistryClient, name: string): Promise<{ layer: Buffer; manifest: Uint8Array }> {
  const [layer, config] = [Buffer.alloc(3_000_000, "layer"), Buffer.from("{}")];
  const describe = (
    mediaType: string,
    bytes: Uint8Array,
  ): { mediaType: string; digest: ReturnType<typeof sha256>; size: number } => ({
    mediaType,
    digest: sha256(bytes),
    size: bytes.length,
  });
  const [layerDescriptor, configDescriptor] = [describe(mediaTypes.ociLayer, layer), describe(mediaTypes.ociConfig, config)];
  const ref = parseReference(name);
  assert.deepEqual(await client.pushBlob(ref, layerDescriptor, bytesOf(layer)), {
    how: "uploaded",
  });
  assert.deepEqual(await client.pushBlob(ref, configDescriptor, bytesOf(config)), {
    how: "uploaded",
  });
  assert.deepEqual(await client.pushBlob(ref, layerDescriptor, bytesOf(layer)), { how: "exists" });
  const manifest = serializeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: configDescriptor,
    layers: [layerDescriptor],
  });
  await client.pushManifest(ref, mediaTypes.ociManifest, manifest);
  return { layer, manifest };
}

// What the machine lacks cannot be tested on it: then only the missing program is stated.
if (!installed) test("distribution's registry is not on the PATH of this machine", () => assert.equal(installed, false));
else {
  test("E35 an image goes to distribution's registry and comes back the same, by tag, by digest and by mount", async (t) => {
    const host = await startRegistry(t);
    const client = createRegistryClient({ userAgent: "varve-test" });
    t.after(() => client.close());
    const { layer, manifest } = await pushImage(client, `${host}/some/app:v1`);
    const ref = parseReference(`${host}/some/app:v1`);
    const { descriptor } = await client.resolve(ref);
    assert.deepEqual(descriptor, {
      mediaType: mediaTypes.ociManifest,
      digest: sha256(manifest),
      size: manifest.length,
    });
    assert.deepEqual((await client.resolve(parseReference(`${host}/some/app@${descriptor.digest}`))).descriptor, descriptor);
    const fetched = await client.fetchManifest(ref, descriptor);
    const [blob] = parseManifest(fetched.bytes).layers;
    assert.ok(blob);
    const whole = await collectBytes(verifyDigest(blob.digest, blob.size)(client.fetchBlob(ref, blob)), { maxBytes: 1e8 });
    assert.ok(layer.equals(whole));
    const rest = await collectBytes(client.fetchBlob(ref, blob, { offset: 2_999_000 }), {
      maxBytes: 1e8,
    });
    assert.equal(rest.length, 1000);
    const copy = parseReference(`${host}/copy:v1`);
    assert.deepEqual(await client.pushBlob(copy, blob, () => assert.fail("uploaded"), { mountFrom: "some/app" }), {
      how: "mounted",
      from: "some/app",
    });
    await assert.rejects(client.resolve(parseReference(`${host}/some/app:v2`)), {
      code: "REGISTRY_NOT_FOUND",
    });
    await assert.rejects(collectBytes(client.fetchBlob(ref, { digest: sha256("none"), size: 4 }), { maxBytes: 9 }), {
      code: "REGISTRY_NOT_FOUND",
      message: /^blob sha256:[0-9a-f]{12} of .* not found/,
    });
  });

  test("a content that is not what its descriptor says is refused by the registry, and told", async (t) => {
    const host = await startRegistry(t);
    const client = createRegistryClient({ userAgent: "varve-test" });
    t.after(() => client.close());
    await assert.rejects(
      client.pushBlob(parseReference(`${host}/app`), { digest: sha256("a"), size: 1 }, bytesOf(Buffer.from("b"))),
      { code: "REGISTRY_PROTOCOL", message: /DIGEST_INVALID/ },
    );
  });
}
