import { isVarveError, VarveError } from "../errors/index.ts";
import { sleep, throwIfAborted } from "../flow/index.ts";
import { familiarName, type Descriptor, type ImageReference } from "../oci/index.ts";
import type { Endpoint } from "./endpoints.ts";
import { isPassing, retryAfterMs } from "./failures.ts";
import type { RegistryLimits } from "./limits.ts";
import type { Session } from "./session.ts";
import type { HttpAnswer } from "./transport.ts";

interface BlobOptions {
  readonly signal: AbortSignal;
  readonly offset: number;
  readonly limits: RegistryLimits;
  /** Told whom the next bytes come from. */
  readonly onEndpoint: (endpoint: Endpoint) => void;
}

/**
 * A blob from the first endpoint that has it, resumed where it broke off, there or at the next. (OCI distribution-spec,
 * "Pulling blobs")
 */
export async function* streamBlob(
  session: Session,
  findEndpoints: () => Endpoint[],
  ref: ImageReference,
  blob: Pick<Descriptor, "digest" | "size">,
  options: BlobOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, limits, onEndpoint } = options;
  const endpoints = findEndpoints();
  const progress = { offset: options.offset };
  if (progress.offset > 0 && progress.offset >= blob.size) return;
  for (const [place, endpoint] of endpoints.entries()) {
    const last = place === endpoints.length - 1;
    onEndpoint(endpoint);
    try {
      return yield* streamFrom(session, endpoint, ref, blob, progress, {
        signal,
        limits,
        attempts: last ? limits.attempts : 1,
      });
    } catch (error) {
      throwIfAborted(signal);
      if (last || !isVarveError(error)) throw error;
    }
  }
}

async function* streamFrom(
  session: Session,
  endpoint: Endpoint,
  ref: ImageReference,
  blob: Pick<Descriptor, "digest" | "size">,
  progress: { offset: number },
  options: { signal: AbortSignal; limits: RegistryLimits; attempts: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, limits, attempts } = options;
  // Tries without progress; those with some earn all of them again.
  let failures = 0;
  for (;;) {
    const before = progress.offset;
    try {
      const answer = await session.exchange(endpoint, blobRequest(ref, blob, progress.offset), {
        signal,
        attempts: 1,
      });
      for await (const chunk of fromOffset(answer, progress.offset)) {
        progress.offset += chunk.length;
        yield chunk;
        if (progress.offset > blob.size) return;
      }
      if (progress.offset >= blob.size) return;
      throw new VarveError(
        "REGISTRY_UNREACHABLE",
        `${endpoint.host} sent ${progress.offset} of the ${blob.size} bytes of a blob of ${familiarName(ref)}`,
      );
    } catch (error) {
      throwIfAborted(signal);
      failures = progress.offset - before >= limits.minProgressBytes ? 1 : failures + 1;
      if (!isPassing(error) || failures >= Math.max(attempts, 2)) throw error;
      const pauseMs = retryAfterMs(error) ?? limits.retryDelayMs * 2 ** (failures - 1) * (0.5 + Math.random() / 2);
      await sleep(Math.min(pauseMs, limits.maxRetryDelayMs), { signal });
    }
  }
}

function blobRequest(ref: ImageReference, blob: Pick<Descriptor, "digest">, offset: number): Parameters<Session["exchange"]>[1] {
  return {
    method: "GET",
    target: `${ref.path}/blobs/${blob.digest}`,
    headers: { accept: "*/*", ...(offset === 0 ? {} : { range: `bytes=${offset}-` }) },
    scope: `repository:${ref.path}:pull`,
    subject: { ref, purpose: "pull", blob: blob.digest },
  };
}

/** The body from `offset` on, whether the server heeded the range or sends all again. */
async function* fromOffset(answer: HttpAnswer, offset: number): AsyncGenerator<Uint8Array, void, undefined> {
  let skip = offset;
  if (answer.status === 206) {
    const start = /^bytes (\d+)-/.exec(answer.headers["content-range"] ?? "")?.[1];
    if (Number(start) !== offset) {
      answer.discard();
      throw new VarveError("REGISTRY_PROTOCOL", `${answer.url.host} sent another part of a blob than was asked for`);
    }
    skip = 0;
  }
  for await (const chunk of answer.read()) {
    const skipped = Math.min(skip, chunk.length);
    skip -= skipped;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
}
