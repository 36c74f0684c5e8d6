import { VarveError } from "../errors/index.ts";
import { retry, type ByteSource } from "../flow/index.ts";
import { sha256, type Descriptor, type ImageReference } from "../oci/index.ts";
import type { Endpoint } from "./endpoints.ts";
import { isPassing, retryAfterMs, type Subject } from "./failures.ts";
import type { RegistryLimits } from "./limits.ts";
import type { Session } from "./session.ts";
import type { HttpAnswer } from "./transport.ts";

export interface PushedBlob {
  /** `exists`: it was there; `mounted`: taken from another repository; `uploaded`: sent. */
  readonly how: "exists" | "mounted" | "uploaded";
}

interface PushOptions {
  readonly signal: AbortSignal;
  readonly limits: RegistryLimits;
}

/**
 * HEAD, POST, then one PUT with all bytes; as a whole again when that fails in passing. (OCI distribution-spec, "Pushing
 * blobs")
 */
export async function putBlob(
  session: Session,
  endpoint: Endpoint,
  ref: ImageReference,
  blob: Pick<Descriptor, "digest" | "size">,
  open: () => ByteSource,
  options: PushOptions & { mountFrom?: string | undefined },
): Promise<PushedBlob> {
  const { signal, limits, mountFrom } = options;
  const shared = {
    scope: scopeOf(ref),
    subject: { ref, purpose: "push", blob: blob.digest } satisfies Subject,
  };
  const once = async (): Promise<PushedBlob> => {
    const head = await session.exchange(
      endpoint,
      {
        ...shared,
        method: "HEAD",
        target: `${ref.path}/blobs/${blob.digest}`,
        expects: [404, 405],
      },
      { signal },
    );
    head.discard();
    if (head.status === 200) return { how: "exists" };
    const query = mountFrom === undefined ? {} : { query: { mount: blob.digest, from: mountFrom } };
    const start = await session.exchange(
      endpoint,
      {
        ...shared,
        ...query,
        method: "POST",
        target: `${ref.path}/blobs/uploads/`,
        headers: { "content-length": "0" },
      },
      { signal },
    );
    start.discard();
    if (start.status === 201) return { how: "mounted" };
    const headers = {
      "content-type": "application/octet-stream",
      "content-length": String(blob.size),
    };
    const put = {
      ...shared,
      method: "PUT" as const,
      target: uploadUrl(start),
      query: { digest: blob.digest },
      headers,
      body: open,
    };
    (await session.exchange(endpoint, put, { signal, attempts: 1 })).discard();
    return { how: "uploaded" };
  };
  return await retry(once, {
    signal,
    attempts: limits.attempts,
    shouldRetry: isPassing,
    delayMs: limits.retryDelayMs,
    maxDelayMs: limits.maxRetryDelayMs,
    pauseMs: retryAfterMs,
  });
}

/** PUT under the tag, or under the digest when there is no tag. (OCI distribution-spec, "Pushing Manifests") */
export async function putManifest(
  session: Session,
  endpoint: Endpoint,
  ref: ImageReference,
  mediaType: string,
  bytes: Uint8Array,
  options: PushOptions,
): Promise<Descriptor> {
  const digest = sha256(bytes);
  const body = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield bytes;
  };
  const answer = await session.exchange(
    endpoint,
    {
      method: "PUT",
      target: `${ref.path}/manifests/${ref.tag ?? digest}`,
      headers: { "content-type": mediaType, "content-length": String(bytes.length) },
      body,
      scope: scopeOf(ref),
      subject: { ref, purpose: "push" },
    },
    options,
  );
  answer.discard();
  const told = answer.headers["docker-content-digest"];
  if (told !== undefined && told !== digest) {
    throw new VarveError("REGISTRY_PROTOCOL", `${endpoint.host} stored the manifest under another digest than the one it has`, {
      details: { digest, told },
    });
  }
  return { mediaType, digest, size: bytes.length };
}

function uploadUrl(start: HttpAnswer): URL {
  const { location } = start.headers;
  if (location === undefined || !URL.canParse(location, start.url.href)) {
    throw new VarveError("REGISTRY_PROTOCOL", `${start.url.host} does not say where to upload to`);
  }
  return new URL(location, start.url);
}

function scopeOf(ref: ImageReference): string {
  return `repository:${ref.path}:pull,push`;
}
