/** A registry that answers as a test says. It holds no tests; its name keeps it out of the package. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { collectBytes, type ByteSource } from "../flow/index.ts";
import { mediaTypes, parseReference, sha256, type ImageReference } from "../oci/index.ts";
import { createRegistryClient, type RegistryClient, type RegistryClientOptions } from "./index.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse, asked: string[]) => void;
export interface Fake {
  readonly host: string;
  /** `METHOD /path?query` of every request so far. */
  readonly asked: string[];
  readonly headers: IncomingMessage["headers"][];
}

/** A server that answers as the test says, on a port of its own, until the test ends. */
export async function serve(t: TestContext, handler: Handler): Promise<Fake> {
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

export function connect(t: TestContext, options: Partial<RegistryClientOptions> = {}): RegistryClient {
  const { limits, ...rest } = options;
  const client = createRegistryClient({
    userAgent: "varve-test",
    limits: { retryDelayMs: 1, maxRetryDelayMs: 5, ...limits },
    ...rest,
  });
  t.after(() => client.close());
  return client;
}

export const answer = (
  response: ServerResponse,
  status: number,
  headers: Record<string, string | number> = {},
  body: string | Uint8Array = "",
): void => {
  response.writeHead(status, headers).end(body);
};
export const failure = (code: string, message: string): string => JSON.stringify({ errors: [{ code, message }] });
export const collect = (source: ByteSource): Promise<Uint8Array> => collectBytes(source, { maxBytes: 1e8 });

export const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: sha256("c"), size: 1 },
    layers: [],
  }),
);
export const blob = Buffer.alloc(300_000, "layer");
export const blobDescriptor = { digest: sha256(blob), size: blob.length };
export const manifestHeaders = {
  "content-type": mediaTypes.ociManifest,
  "docker-content-digest": sha256(manifest),
  "content-length": manifest.length,
};
export const serveManifest = (request: IncomingMessage, response: ServerResponse): void =>
  answer(response, 200, manifestHeaders, request.method === "HEAD" ? "" : manifest);
export const imageAt = (fake: Fake, name = "app:v1"): ImageReference => parseReference(`${fake.host}/${name}`);
