import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { isVarveError } from "../errors/index.ts";
import type { ByteSource } from "../flow/index.ts";
import { sha256 } from "../oci/index.ts";
import { answer, blob, blobDescriptor, connect, imageAt, serve } from "./fake-registry.kit.test.ts";

/** Opens the content in pieces, and counts how often it was opened. */
function sourceOf(bytes: Uint8Array): { open: () => ByteSource; opened: () => number } {
  let opened = 0;
  return {
    opened: () => opened,
    open: () => {
      opened += 1;
      return (async function* () {
        for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
      })();
    },
  };
}

/** A registry with one upload: it keeps what it took, and breaks the connection when `cutAt` bytes have come in all. */
function uploads(options: { cutAt: number; forgets?: boolean; minChunk?: number }): {
  handle: (request: IncomingMessage, response: ServerResponse) => void;
  received: () => Buffer;
  lines: string[];
} {
  let stored: Buffer = Buffer.alloc(0);
  let cut = false;
  const lines: string[] = [];
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { method, headers } = request;
    lines.push(`${method} ${headers["content-range"] ?? headers["content-length"] ?? ""}`.trim());
    if (method === "HEAD") return answer(response, 404);
    if (method === "POST") {
      stored = Buffer.alloc(0);
      const more = options.minChunk === undefined ? {} : { "oci-chunk-min-length": options.minChunk };
      return answer(response, 202, { location: "/upload/1", ...more });
    }
    if (method === "GET") {
      if (options.forgets === true) return answer(response, 404);
      return answer(response, 204, { location: "/upload/1", range: `0-${Math.max(0, stored.length - 1)}` });
    }
    request.on("data", (chunk: Buffer) => {
      stored = Buffer.concat([stored, chunk]);
      if (cut || stored.length < options.cutAt) return;
      cut = true;
      stored = stored.subarray(0, options.cutAt);
      request.removeAllListeners("data");
      request.destroy();
    });
    request.on("end", () => {
      if (method === "PUT") return answer(response, 201);
      answer(response, 202, { location: "/upload/1", range: `0-${stored.length - 1}` });
    });
    request.on("error", () => undefined);
  };
  return { handle, received: () => stored, lines };
}

test("E35 an upload that breaks off goes on at the byte that the registry says it has", async (t) => {
  const registry = uploads({ cutAt: 120_000 });
  const fake = await serve(t, registry.handle);
  const source = sourceOf(blob);
  const seen: number[] = [];
  const client = connect(t, { limits: { uploadChunkBytes: 100_000 } });
  assert.deepEqual(
    await client.pushBlob(imageAt(fake), blobDescriptor, source.open, { onProgress: (bytes) => seen.push(bytes) }),
    { how: "uploaded" },
  );
  assert.equal(sha256(registry.received()), blobDescriptor.digest);
  assert.deepEqual(registry.lines, ["HEAD", "POST 0", "PUT 300000", "GET", "PATCH 120000-219999", "PUT 220000-299999"]);
  assert.equal(source.opened(), 2);
  assert.equal(seen.at(-1), blob.length);
});

test("an upload that the registry has forgotten begins again, in pieces at least as large as it asks for", async (t) => {
  const registry = uploads({ cutAt: 50_000, forgets: true, minChunk: 200_000 });
  const fake = await serve(t, registry.handle);
  const client = connect(t, { limits: { uploadChunkBytes: 1000 } });
  await client.pushBlob(imageAt(fake), blobDescriptor, sourceOf(blob).open);
  assert.equal(sha256(registry.received()), blobDescriptor.digest);
  assert.deepEqual(registry.lines, [
    "HEAD",
    "POST 0",
    "PUT 300000",
    "GET",
    "HEAD",
    "POST 0",
    "PATCH 0-199999",
    "PUT 200000-299999",
  ]);
});

test("an upload that breaks off every time ends after the tries that are allowed", async (t) => {
  let puts = 0;
  const fake = await serve(t, (request, response) => {
    if (request.method === "HEAD" || request.method === "GET") return answer(response, 404);
    if (request.method === "POST") return answer(response, 202, { location: "/upload/1" });
    puts += 1;
    request.destroy();
  });
  await assert.rejects(connect(t, { limits: { attempts: 4 } }).pushBlob(imageAt(fake), blobDescriptor, sourceOf(blob).open), {
    code: "REGISTRY_UNREACHABLE",
  });
  assert.equal(puts, 4);
});

test("a content shorter than was said is told as such, and ends the request", async (t) => {
  const fake = await serve(t, (request, response) => {
    if (request.method === "HEAD") return answer(response, 404);
    if (request.method === "POST") return answer(response, 202, { location: "/upload/1" });
  });
  await assert.rejects(
    connect(t).pushBlob(imageAt(fake), { digest: blobDescriptor.digest, size: blob.length + 1 }, sourceOf(blob).open),
    { code: "CONTENT_SIZE_MISMATCH" },
  );
});

test("E36 several repositories are asked for a mount; one that may not be read is no hindrance", async (t) => {
  const fake = await serve(t, (request, response) => {
    if (request.method === "HEAD") return answer(response, 404);
    const from = new URL(request.url ?? "", "http://x").searchParams.get("from");
    if (from === "secret") return answer(response, 403);
    if (from === "public") return answer(response, 201);
    answer(response, 202, { location: "/upload/1" });
  });
  const pushed = await connect(t).pushBlob(imageAt(fake), blobDescriptor, () => assert.fail("opened"), {
    mountFrom: ["app", "secret", "public"],
  });
  assert.deepEqual(pushed, { how: "mounted", from: "public" });
  assert.equal(fake.asked.filter((line) => line.startsWith("POST")).length, 2);
});

test("uploads go to another host without credentials, also by a redirect that keeps the method", async (t) => {
  const received: number[] = [];
  const store = await serve(t, (request, response) => {
    if (request.url?.startsWith("/moved") === true) return answer(response, 307, { location: "/final" });
    let bytes = 0;
    request.on("data", (chunk: Buffer) => (bytes += chunk.length));
    request.on("end", () => {
      received.push(bytes);
      answer(response, 201);
    });
  });
  const fake = await serve(t, (request, response) => {
    if (request.headers.authorization === undefined) return answer(response, 401, { "www-authenticate": "Basic" });
    if (request.method === "HEAD") return answer(response, 404);
    answer(response, 202, { location: `http://${store.host}/moved?key=1` });
  });
  const client = connect(t, { credentials: async () => ({ username: "me", password: "pw" }) });
  await client.pushBlob(imageAt(fake), blobDescriptor, sourceOf(blob).open);
  assert.equal(received.at(-1), blob.length);
  assert.ok(store.headers.every(({ authorization }) => authorization === undefined));
});

test("a registry that asks to wait is heeded, up to a limit; one that always does ends in an error", async (t) => {
  let refusals = 2;
  const fake = await serve(t, (request, response) => {
    if (refusals > 0) {
      refusals -= 1;
      return answer(response, 429, { "retry-after": "3600" });
    }
    if (request.method === "HEAD") return answer(response, 404);
    if (request.method === "POST") return answer(response, 202, { location: "/upload/1" });
    request.on("end", () => answer(response, 201));
  });
  const client = connect(t);
  await client.pushBlob(imageAt(fake), blobDescriptor, sourceOf(blob).open);
  refusals = Infinity;
  await assert.rejects(client.pushBlob(imageAt(fake), blobDescriptor, sourceOf(blob).open), (error: unknown) => {
    return isVarveError(error) && error.code === "REGISTRY_LIMITED" && error.details["retryAfterMs"] === 3_600_000;
  });
});
