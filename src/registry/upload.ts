import { VarveError } from "../errors/index.ts";
import { sleep, throwIfAborted, type ByteSource } from "../flow/index.ts";
import { familiarName, type Descriptor, type ImageReference } from "../oci/index.ts";
import type { Endpoint } from "./endpoints.ts";
import { isPassing, retryAfterMs, type Subject } from "./failures.ts";
import type { RegistryLimits } from "./limits.ts";
import type { ApiRequest, Session } from "./session.ts";
import { createSlices, type Slices } from "./slices.ts";
import type { HttpAnswer } from "./transport.ts";

/** An upload that a registry has begun. */
export interface Upload {
  readonly url: URL;
  /** Bytes that the registry has said it has. */
  readonly acknowledged: number;
  /** The smallest piece that the registry takes, except for the last. (OCI distribution-spec, "Pushing a blob in chunks") */
  readonly minChunkBytes: number;
}

export interface UploadOptions {
  readonly session: Session;
  readonly endpoint: Endpoint;
  readonly ref: ImageReference;
  readonly blob: Pick<Descriptor, "digest" | "size">;
  readonly open: () => ByteSource;
  readonly signal: AbortSignal;
  readonly limits: RegistryLimits;
  /** Told how many bytes of the blob have been sent so far; less than before after a break. */
  readonly onProgress: (bytes: number) => void;
  /** Asks for an upload; undefined means that the blob is there by now. */
  readonly begin: () => Promise<Upload | undefined>;
}

/** What a registry says of an upload that it has forgotten, or of a piece that does not fit: only a new upload helps. */
const lostStatuses = [404, 416];

/**
 * Sends a blob: first with one PUT; after a break in pieces, from the byte on that the registry says it has, or all again
 * where it does not say. Gives up after `limits.attempts` breaks in a row without progress.
 */
export async function sendBlob(options: UploadOptions): Promise<void> {
  const { signal, limits, blob, begin } = options;
  const slices = createSlices(options.open, blob.size);
  let upload: Upload | undefined;
  let whole = true;
  let failures = 0;
  let best = 0;
  try {
    for (;;) {
      try {
        upload ??= await begin();
        if (upload === undefined) return;
        if (whole) return await putRest(upload, slices, options);
        while (blob.size - upload.acknowledged > chunkBytesOf(upload, limits)) {
          upload = await patchChunk(upload, slices, options);
        }
        return await putRest(upload, slices, options);
      } catch (error) {
        throwIfAborted(signal);
        const lost: boolean = error instanceof VarveError && error.details["lostUpload"] === true;
        const reached: number = upload?.acknowledged ?? 0;
        failures = reached - best >= limits.minProgressBytes ? 1 : failures + 1;
        best = Math.max(best, reached);
        if ((!lost && !isPassing(error)) || failures >= limits.attempts) throw error;
        const pauseMs = retryAfterMs(error) ?? limits.retryDelayMs * 2 ** (failures - 1) * (0.5 + Math.random() / 2);
        await sleep(Math.min(pauseMs, limits.maxRetryDelayMs), { signal });
        whole = false;
        upload = lost || upload === undefined ? undefined : await askProgress(upload, options);
      }
    }
  } finally {
    await slices.close();
  }
}

function chunkBytesOf({ minChunkBytes }: Upload, { uploadChunkBytes }: RegistryLimits): number {
  return Math.max(minChunkBytes, uploadChunkBytes);
}

/** All that is missing, and the end. */
async function putRest({ url, acknowledged }: Upload, slices: Slices, options: UploadOptions): Promise<void> {
  const { session, endpoint, blob, signal } = options;
  const range = acknowledged > 0 && blob.size > acknowledged ? { "content-range": `${acknowledged}-${blob.size - 1}` } : {};
  const answer = await session.exchange(
    endpoint,
    {
      ...uploadRequest(options, acknowledged > 0),
      method: "PUT",
      target: url,
      query: { digest: blob.digest },
      headers: {
        "content-type": "application/octet-stream",
        "content-length": String(blob.size - acknowledged),
        ...range,
      },
      body: () => slices.read(acknowledged, blob.size, options.onProgress),
    },
    { signal, attempts: 1 },
  );
  answer.discard();
  refuseLost(answer, options);
}

async function patchChunk(upload: Upload, slices: Slices, options: UploadOptions): Promise<Upload> {
  const { session, endpoint, signal, limits } = options;
  const from = upload.acknowledged;
  const to = from + chunkBytesOf(upload, limits);
  const answer = await session.exchange(
    endpoint,
    {
      ...uploadRequest(options, true),
      method: "PATCH",
      target: upload.url,
      headers: {
        "content-type": "application/octet-stream",
        "content-length": String(to - from),
        "content-range": `${from}-${to - 1}`,
      },
      body: () => slices.read(from, to, options.onProgress),
    },
    { signal, attempts: 1 },
  );
  answer.discard();
  refuseLost(answer, options);
  const acknowledged = acknowledgedBy(answer) ?? to;
  if (acknowledged <= from || acknowledged > to) {
    throw new VarveError("REGISTRY_PROTOCOL", `${endpoint.host} says that it took another part of a blob than it was sent`, {
      details: { from, to, acknowledged },
    });
  }
  return { ...upload, url: locationOf(answer), acknowledged };
}

/** Where an upload stands after a break; undefined where the registry does not say, and it has to begin again. */
async function askProgress(upload: Upload, options: UploadOptions): Promise<Upload | undefined> {
  const { session, endpoint, signal, blob } = options;
  try {
    const answer = await session.exchange(
      endpoint,
      { ...uploadRequest(options, true), method: "GET", target: upload.url, expects: [400, 404, 405, 416, 501] },
      { signal, attempts: 1 },
    );
    answer.discard();
    const acknowledged = answer.status === 204 ? acknowledgedBy(answer) : undefined;
    if (acknowledged === undefined || acknowledged > blob.size) return undefined;
    return { ...upload, url: answer.headers.location === undefined ? upload.url : locationOf(answer), acknowledged };
  } catch (error) {
    throwIfAborted(signal);
    if (error instanceof VarveError) return undefined;
    throw error;
  }
}

function uploadRequest({ ref, blob }: UploadOptions, resumed: boolean): Pick<ApiRequest, "scope" | "subject" | "expects"> {
  const subject: Subject = { ref, purpose: "push", blob: blob.digest };
  return { scope: pushScope(ref), subject, ...(resumed ? { expects: lostStatuses } : {}) };
}

function refuseLost({ status }: HttpAnswer, { endpoint, ref }: UploadOptions): void {
  if (!lostStatuses.includes(status)) return;
  throw new VarveError("REGISTRY_PROTOCOL", `${endpoint.host} lost an upload to ${familiarName(ref)} (${status})`, {
    details: { lostUpload: true, status },
  });
}

/** `Range: 0-N`, the end included; distribution says `0-0` of an empty upload too. */
function acknowledgedBy({ headers }: HttpAnswer): number | undefined {
  const end = /^(?:bytes[= ])?0-(\d{1,15})$/.exec(headers.range ?? "")?.[1];
  if (end === undefined) return undefined;
  return end === "0" ? 0 : Number(end) + 1;
}

/** What an answer to POST or PATCH says of its upload. */
export function readUpload(answer: HttpAnswer): Upload {
  const min = Number(answer.headers["oci-chunk-min-length"]);
  return { url: locationOf(answer), acknowledged: 0, minChunkBytes: Number.isSafeInteger(min) && min > 0 ? min : 0 };
}

function locationOf(answer: HttpAnswer): URL {
  const { location } = answer.headers;
  if (location === undefined || !URL.canParse(location, answer.url.href)) {
    throw new VarveError("REGISTRY_PROTOCOL", `${answer.url.host} does not say where to upload to`);
  }
  const url = new URL(location, answer.url);
  if (!/^https?:$/.test(url.protocol)) {
    throw new VarveError("REGISTRY_PROTOCOL", `${answer.url.host} sends uploads to what is no web address`);
  }
  return url;
}

/** `repository:app:pull,push`, and the right to read another repository where a blob is taken from there. */
export function pushScope(ref: ImageReference, from?: string): string {
  const own = `repository:${ref.path}:pull,push`;
  return from === undefined ? own : `${own} repository:${from}:pull`;
}
