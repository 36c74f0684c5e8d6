import { isVarveError, VarveError } from "../errors/index.ts";
import { collectBytes, retry, verifyDigest } from "../flow/index.ts";
import {
  familiarReference,
  isDigest,
  isIndex,
  isManifest,
  mediaTypes,
  parseDigest,
  sha256,
  type Descriptor,
  type Digest,
  type ImageReference,
} from "../oci/index.ts";
import type { Endpoint } from "./endpoints.ts";
import { isPassing, retryAfterMs, type Subject } from "./failures.ts";
import type { RegistryLimits } from "./limits.ts";
import type { ApiRequest, Session } from "./session.ts";
import type { HttpAnswer } from "./transport.ts";

export interface ResolvedManifest {
  readonly descriptor: Descriptor;
  /** The document, verified, where it was fetched on the way. */
  readonly bytes?: Uint8Array;
}

export interface FetchedManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

interface ManifestOptions {
  readonly signal: AbortSignal;
  readonly attempts: number;
  readonly limits: RegistryLimits;
}

const accept = [mediaTypes.ociIndex, mediaTypes.ociManifest, mediaTypes.dockerList, mediaTypes.dockerManifest, "*/*"].join(", ");
/** HEAD is refused with these by servers that do not have it; the answer to GET decides then. */
const headless = [400, 405, 406, 415, 501];

/** HEAD, and GET where HEAD does not tell everything. (OCI distribution-spec, "Pulling manifests") */
export async function resolveManifest(
  session: Session,
  endpoint: Endpoint,
  ref: ImageReference,
  options: ManifestOptions,
): Promise<ResolvedManifest> {
  const { limits } = options;
  const head = await session.exchange(
    endpoint,
    {
      ...manifestRequest(ref, ref.digest ?? ref.tag ?? "latest"),
      method: "HEAD",
      expects: headless,
    },
    options,
  );
  head.discard();
  const size = Number(head.headers["content-length"] ?? Number.NaN);
  const mediaType = mediaTypeOf(head);
  const told = head.headers["docker-content-digest"];
  const digest = ref.digest ?? (typeof told === "string" && told !== "" ? parseTold(told, endpoint) : undefined);
  if (
    head.status === 200 &&
    digest !== undefined &&
    Number.isSafeInteger(size) &&
    size > 0 &&
    (isManifest(mediaType) || isIndex(mediaType))
  ) {
    if (size > limits.maxManifestBytes) throw tooLarge(ref, limits);
    return { descriptor: { mediaType, digest, size } };
  }
  const request = manifestRequest(ref, ref.digest ?? ref.tag ?? "latest");
  const fetched = await readManifest(session, endpoint, request, ref, { digest: ref.digest }, options);
  return {
    descriptor: {
      mediaType: fetched.mediaType,
      digest: ref.digest ?? sha256(fetched.bytes),
      size: fetched.bytes.length,
    },
    bytes: fetched.bytes,
  };
}

export async function getManifest(
  session: Session,
  endpoint: Endpoint,
  ref: ImageReference,
  target: Descriptor | Digest,
  options: ManifestOptions,
): Promise<FetchedManifest> {
  const descriptor = typeof target === "string" ? undefined : target;
  const digest = typeof target === "string" ? target : target.digest;
  if (descriptor !== undefined && descriptor.size > options.limits.maxManifestBytes) throw tooLarge(ref, options.limits);
  const request = manifestRequest(ref, digest);
  const types = descriptor === undefined ? accept : `${descriptor.mediaType}, */*`;
  const fetched = await readManifest(
    session,
    endpoint,
    { ...request, headers: { accept: types } },
    ref,
    { digest, size: descriptor?.size },
    options,
  );
  return { bytes: fetched.bytes, mediaType: descriptor?.mediaType ?? fetched.mediaType };
}

function manifestRequest(ref: ImageReference, name: string): ApiRequest {
  const subject: Subject = {
    ref: isDigest(name) ? { ...ref, digest: name } : { ...ref, tag: name },
    purpose: "pull",
  };
  return {
    method: "GET",
    target: `${ref.path}/manifests/${name}`,
    headers: { accept },
    scope: `repository:${ref.path}:pull`,
    subject,
  };
}

interface Expected {
  readonly digest: Digest | undefined;
  readonly size?: number | undefined;
}

/** The document itself; an answer that breaks off is asked for again. */
async function readManifest(
  session: Session,
  endpoint: Endpoint,
  request: ApiRequest,
  ref: ImageReference,
  expected: Expected,
  options: ManifestOptions,
): Promise<FetchedManifest> {
  const { signal, attempts, limits } = options;
  const once = async (): Promise<FetchedManifest> => {
    const answer = await session.exchange(endpoint, request, { signal, attempts: 1 });
    const mediaType = mediaTypeOf(answer);
    if (mediaType === mediaTypes.dockerSchema1 || mediaType === mediaTypes.dockerSchema1Signed) {
      answer.discard();
      throw new VarveError(
        "IMAGE_SCHEMA1",
        `${familiarReference(ref)} is in Docker's manifest format schema 1, which is no longer supported`,
        {
          hint: "push the image again with a current builder",
        },
      );
    }
    if (/html/.test(mediaType)) {
      answer.discard();
      throw noManifest(answer, ref, mediaType);
    }
    const bytes = await collect(answer, ref, expected, limits);
    const type = isManifest(mediaType) || isIndex(mediaType) ? mediaType : guessMediaType(bytes, mediaType);
    if ((isManifest(type) || isIndex(type)) && isJsonObject(bytes)) return { bytes, mediaType: type };
    throw noManifest(answer, ref, mediaType);
  };
  return await retry(once, {
    signal,
    attempts,
    shouldRetry: isPassing,
    delayMs: limits.retryDelayMs,
    maxDelayMs: limits.maxRetryDelayMs,
    pauseMs: retryAfterMs,
  });
}

async function collect(answer: HttpAnswer, ref: ImageReference, expected: Expected, limits: RegistryLimits): Promise<Uint8Array> {
  const body = answer.read();
  const { digest, size } = expected;
  try {
    return await collectBytes(digest === undefined ? body : verifyDigest(digest, size)(body), {
      maxBytes: limits.maxManifestBytes,
    });
  } catch (error) {
    if (!isVarveError(error)) throw error;
    if (error.code === "CONTENT_TOO_LARGE") throw tooLarge(ref, limits);
    if (error.code === "CONTENT_DIGEST_MISMATCH" || error.code === "CONTENT_SIZE_MISMATCH") {
      const message = `${answer.url.host} sent another manifest of ${familiarReference(ref)} than was asked for`;
      throw new VarveError(error.code, message, { cause: error, details: error.details });
    }
    throw error;
  }
}

/** The type that the document itself says, else the one its members show, else what the server said. */
function guessMediaType(bytes: Uint8Array, said: string): string {
  try {
    const document = JSON.parse(Buffer.from(bytes).toString()) as {
      mediaType?: unknown;
      manifests?: unknown;
      layers?: unknown;
    } | null;
    if (typeof document?.mediaType === "string") return document.mediaType;
    if (Array.isArray(document?.manifests)) return mediaTypes.ociIndex;
    if (Array.isArray(document?.layers)) return mediaTypes.ociManifest;
    return said;
  } catch (error) {
    if (error instanceof SyntaxError) return said;
    throw error;
  }
}

function mediaTypeOf(answer: HttpAnswer): string {
  return (answer.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

function parseTold(told: string, endpoint: Endpoint): Digest {
  try {
    return parseDigest(told);
  } catch (cause) {
    throw new VarveError("REGISTRY_PROTOCOL", `${endpoint.host} names a manifest by what is not a digest`, { cause });
  }
}

function isJsonObject(bytes: Uint8Array): boolean {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString());
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function noManifest({ url }: HttpAnswer, ref: ImageReference, mediaType: string): VarveError {
  const what =
    mediaType === "" || mediaType.includes("manifest")
      ? "something unreadable"
      : mediaType.replaceAll(/[^a-z0-9.+/-]/g, "?").slice(0, 80);
  return new VarveError(
    "REGISTRY_PROTOCOL",
    `${url.host} answered with ${what}, not with a manifest of ${familiarReference(ref)}`,
    {
      hint: "is this the address of a registry? It may be a web server, or a proxy that wants a login",
    },
  );
}

function tooLarge(ref: ImageReference, limits: RegistryLimits): VarveError {
  return new VarveError(
    "REGISTRY_TOO_LARGE",
    `the manifest of ${familiarReference(ref)} is larger than ${limits.maxManifestBytes} bytes`,
  );
}
