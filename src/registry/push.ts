import { isVarveError, VarveError } from "../errors/index.ts";
import { throwIfAborted, type ByteSource } from "../flow/index.ts";
import { sha256, type Descriptor, type Digest, type ImageReference } from "../oci/index.ts";
import type { Endpoint } from "./endpoints.ts";
import type { Subject } from "./failures.ts";
import type { RegistryLimits } from "./limits.ts";
import type { Session } from "./session.ts";
import { pushScope, readUpload, sendBlob, type Upload } from "./upload.ts";

export interface PushedBlob {
  /** `exists`: it was there; `mounted`: taken from another repository; `uploaded`: sent. */
  readonly how: "exists" | "mounted" | "uploaded";
  /** The repository that it was mounted from. */
  readonly from?: string;
}

export interface PushBlobOptions {
  readonly signal: AbortSignal;
  readonly limits: RegistryLimits;
  readonly mountFrom?: readonly string[];
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** Repositories that are asked for a blob before it is sent. */
const maxMounts = 2;

/** HEAD, then POST with or without a mount, then the bytes. (OCI distribution-spec, "Pushing blobs") */
export async function putBlob(
  session: Session,
  endpoint: Endpoint,
  ref: ImageReference,
  blob: Pick<Descriptor, "digest" | "size">,
  open: () => ByteSource,
  options: PushBlobOptions,
): Promise<PushedBlob> {
  const { signal, limits, mountFrom = [], onProgress = () => undefined } = options;
  const subject: Subject = { ref, purpose: "push", blob: blob.digest };

  const isThere = async (attempts = limits.attempts): Promise<boolean> => {
    const head = await session.exchange(
      endpoint,
      { scope: pushScope(ref), subject, method: "HEAD", target: `${ref.path}/blobs/${blob.digest}`, expects: [404, 405] },
      { signal, attempts },
    );
    head.discard();
    return head.status === 200;
  };
  const post = async (from?: string, attempts = limits.attempts): Promise<Upload | undefined> => {
    const answer = await session.exchange(
      endpoint,
      {
        scope: pushScope(ref, from),
        subject,
        method: "POST",
        target: `${ref.path}/blobs/uploads/`,
        headers: { "content-length": "0" },
        ...(from === undefined ? {} : { query: { mount: blob.digest, from } }),
      },
      { signal, attempts },
    );
    answer.discard();
    return answer.status === 201 ? undefined : readUpload(answer);
  };

  if (await isThere()) return { how: "exists" };
  let begun: Upload | undefined;
  for (const from of mountFrom.filter((path) => path !== ref.path).slice(0, maxMounts)) {
    try {
      begun = await post(from);
      if (begun === undefined) return { how: "mounted", from };
    } catch (error) {
      throwIfAborted(signal);
      // Who may not read there can still write here.
      if (!isVarveError(error) || error.kind === "unavailable") throw error;
    }
  }
  let asked = false;
  const begin = async (): Promise<Upload | undefined> => {
    const first = !asked;
    asked = true;
    if (first && begun !== undefined) return begun;
    // What broke off may have arrived all the same.
    if (!first && (await isThere(1))) return undefined;
    const upload = await post(undefined, 1);
    if (upload === undefined)
      throw new VarveError("REGISTRY_PROTOCOL", `${endpoint.host} says that a blob is there which it said it lacks`);
    return upload;
  };
  await sendBlob({ session, endpoint, ref, blob, open, signal, limits, onProgress, begin });
  return { how: "uploaded" };
}

export interface PutManifest {
  readonly descriptor: Descriptor;
  /** The registry listed the manifest among the referrers of this one (`OCI-Subject`). */
  readonly subject: Digest | undefined;
}

/** PUT under the tag, or under the digest when there is no tag. (OCI distribution-spec, "Pushing Manifests") */
export async function putManifest(
  session: Session,
  endpoint: Endpoint,
  ref: ImageReference,
  mediaType: string,
  bytes: Uint8Array,
  options: { readonly signal: AbortSignal },
): Promise<PutManifest> {
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
      scope: pushScope(ref),
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
  const subject = answer.headers["oci-subject"];
  return {
    descriptor: { mediaType, digest, size: bytes.length },
    subject: typeof subject === "string" ? (subject as Digest) : undefined,
  };
}
