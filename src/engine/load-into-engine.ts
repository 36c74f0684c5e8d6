import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { VarveError } from "../errors/index.ts";
import { writeArchive } from "../exporters/index.ts";
import { chainIds, type Digest, type Manifest } from "../oci/index.ts";
import type { StoredImage } from "./export-to-store.ts";
import type { Exporting } from "./exporting.ts";
import type { ReportStatus } from "./internal-step.ts";
import type { EngineOutput } from "./output-types.ts";

/** How an engine is reached, and what of an image it can be spared. */
interface Engine {
  /** Reads OCI layouts with several platforms. */
  readonly takesIndexes: boolean;
  /** Skips the files of layers that it has: Docker's own stores of layers do, containerd's and Podman's do not. */
  readonly skipsLayers: boolean;
}

/** An engine that says nothing for so long is taken for gone (milliseconds). */
const silenceMs = 120_000;
/** An engine with more is asked for its newest images alone. */
const maxAskedImages = 200;
/** Answers are documents (bytes). */
const maxAnswerBytes = 32 * 1024 * 1024;

/** Sends an image to a running Docker or Podman over its API (`docker load`), without layers that it has where it can do without. */
export async function loadIntoEngine(
  output: EngineOutput,
  names: readonly string[],
  { maker, parts, signal }: Exporting,
  status: ReportStatus,
): Promise<StoredImage> {
  const reach = { address: output.engine, signal };
  const engine = await describeEngine(reach);
  if (maker.isIndex && !engine.takesIndexes)
    throw new VarveError("OUTPUT_OPTIONS", "docker exporter does not currently support exporting manifest lists", {
      hint: "this engine's image store takes one platform at a time",
    });
  const packed = await maker.pack(output, status);
  const images = await maker.identify(output);
  const [image] = images;
  const without =
    engine.skipsLayers && image !== undefined && "manifest" in packed
      ? layersThere(packed.manifest, image.config.rootfs.diff_ids, await listChains(reach))
      : new Set<Digest>();
  status("importing to docker", 0, 0, false);
  const kind = engine.takesIndexes ? "oci" : "docker";
  const send = async (left: ReadonlySet<Digest>): Promise<void> =>
    await load(reach, (sink) =>
      writeArchive(kind, [{ ...packed, names }], sink, { content: parts.content, signal, without: left }),
    );
  try {
    await send(without);
  } catch (error) {
    // it may have lost a layer since it was asked
    if (without.size === 0 || signal.aborted) throw error;
    without.clear();
    await send(without);
  }
  for (const digest of without) status(`layer ${digest} is there`, 0, 0, true);
  status("importing to docker", 0, 0, true);
  return { image: images, descriptor: packed.descriptor, names };
}

interface Reach {
  readonly address: string;
  readonly signal: AbortSignal;
}

async function describeEngine(reach: Reach): Promise<Engine> {
  const { Components = [] } = await ask<{ Components?: readonly { readonly Name?: string }[] }>(reach, "/version");
  const isPodman = Components.some(({ Name = "" }) => Name.startsWith("Podman"));
  if (isPodman) return { takesIndexes: false, skipsLayers: false };
  const { DriverStatus } = await ask<{ DriverStatus?: readonly (readonly string[])[] | null }>(reach, "/info");
  const isContainerd = (DriverStatus ?? []).some(([, value]) => value === "io.containerd.snapshotter.v1");
  return { takesIndexes: isContainerd, skipsLayers: !isContainerd };
}

/** The chain IDs of all layers that the engine's images stand on. */
async function listChains(reach: Reach): Promise<ReadonlySet<string>> {
  const images = await ask<unknown>(reach, "/images/json");
  const ids = Array.isArray(images) ? images.map((image) => (image as { readonly Id?: unknown } | null)?.Id) : [];
  const chains = new Set<string>();
  for (const Id of ids.slice(0, maxAskedImages)) {
    if (typeof Id !== "string") continue;
    const { RootFS } = await unlessRemoved(
      ask<{ RootFS?: { readonly Layers?: readonly Digest[] } }>(reach, `/images/${encodeURIComponent(Id)}/json`),
    );
    for (const chain of chainIds(RootFS?.Layers ?? [])) chains.add(chain);
  }
  return chains;
}

/** What others have removed since the list was made has no layers. */
async function unlessRemoved<T extends object>(asked: Promise<T>): Promise<Partial<T>> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof VarveError && error.details["status"] === 404) return {};
    throw error;
  }
}

function layersThere(manifest: Manifest, diffIds: readonly Digest[], chains: ReadonlySet<string>): Set<Digest> {
  const there = new Set<Digest>();
  const missing = new Set<Digest>();
  for (const [index, chain] of chainIds(diffIds).entries()) {
    const digest = manifest.layers[index]?.digest;
    if (digest !== undefined) (chains.has(chain) ? there : missing).add(digest);
  }
  // the same layer may lie above what the engine does not have
  for (const digest of missing) there.delete(digest);
  return there;
}

async function ask<T>(reach: Reach, path: string): Promise<T> {
  const answer = await send(reach, "GET", path);
  const text = await readAll(answer);
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw failed(reach, `it answers ${path} with no JSON`, { cause });
  }
}

async function load(reach: Reach, write: (sink: (chunk: Uint8Array) => Promise<void>) => Promise<void>): Promise<void> {
  const answer = await send(reach, "POST", "/images/load?quiet=1", write);
  for (const line of (await readAll(answer)).split("\n")) {
    const error = /"error"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
    if (error !== undefined) throw failed(reach, `it refuses the image: ${JSON.parse(`"${error}"`) as string}`);
  }
}

async function send(
  reach: Reach,
  method: "GET" | "POST",
  path: string,
  write?: (sink: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<IncomingMessage> {
  const { request } = await import("node:http");
  const headers = write === undefined ? {} : { "content-type": "application/x-tar", "transfer-encoding": "chunked" };
  const { signal } = reach;
  try {
    const sent = request({ ...placeOf(reach), method, path, headers, signal, timeout: silenceMs });
    sent.on("timeout", () => sent.destroy(new Error("it says nothing")));
    const answered = once(sent, "response", { signal }) as Promise<[IncomingMessage]>;
    answered.catch(() => undefined); // told where it is waited for
    if (write !== undefined) {
      await write(async (chunk) => {
        if (!sent.write(chunk)) await Promise.race([once(sent, "drain", { signal }), answered]);
      });
    }
    sent.end();
    const [answer] = await answered;
    if ((answer.statusCode ?? 500) >= 300)
      throw failed(reach, `it answers ${answer.statusCode}: ${(await readAll(answer)).trim()}`, { status: answer.statusCode });
    return answer;
  } catch (error) {
    if (error instanceof VarveError || signal.aborted) throw error;
    throw failed(reach, (error as Error).message, { cause: error });
  }
}

async function readAll(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxAnswerBytes)
      throw new VarveError("ENGINE_FAILED", "a container engine's answer is larger than any that is known");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function placeOf({ address }: Reach): { socketPath: string } | { host: string; port: number } {
  if (address.startsWith("unix://")) return { socketPath: address.slice("unix://".length) };
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && (url.protocol === "tcp:" || url.protocol === "http:") && url.hostname !== "")
    return { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(url.port === "" ? "2375" : url.port) };
  throw new VarveError("OUTPUT_OPTIONS", `an engine cannot be reached at ${address}`, {
    hint: "Varve speaks to unix:// and tcp:// addresses without TLS",
  });
}

function failed(
  { address }: Reach,
  why: string,
  { cause, status }: { readonly cause?: unknown; readonly status?: number | undefined } = {},
): VarveError {
  return new VarveError("ENGINE_FAILED", `the container engine at ${address} did not take the image: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    ...(status === undefined ? {} : { details: { status } }),
    hint: "is it running, and may you use its socket?",
  });
}
