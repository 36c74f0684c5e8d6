import { isVarveError, VarveError } from "../errors/index.ts";
import {
  digestAlgorithm,
  digestHex,
  familiarName,
  isIndex,
  mediaTypes,
  parseIndex,
  serializeIndex,
  type Descriptor,
  type Digest,
  type ImageReference,
} from "../oci/index.ts";
import type { RegistryClient } from "./client.ts";
import type { Endpoint } from "./endpoints.ts";
import type { RegistryLimits } from "./limits.ts";
import { readPages } from "./pages.ts";
import type { Session } from "./session.ts";

export interface ReferrersOptions {
  readonly signal: AbortSignal;
  readonly limits: RegistryLimits;
  /** Only those of this type. */
  readonly artifactType?: string | undefined;
}

/**
 * Descriptors of the manifests whose `subject` is this digest, or undefined where the registry has no such list. (OCI
 * distribution-spec, "Listing Referrers")
 */
export async function askReferrers(
  session: Session,
  endpoint: Endpoint,
  ref: ImageReference,
  digest: Digest,
  { signal, limits, artifactType }: ReferrersOptions,
): Promise<readonly Descriptor[] | undefined> {
  const found: Descriptor[] = [];
  const request = {
    method: "GET" as const,
    target: `${ref.path}/referrers/${digest}`,
    ...(artifactType === undefined ? {} : { query: { artifactType } }),
    headers: { accept: mediaTypes.ociIndex },
    scope: `repository:${ref.path}:pull`,
    subject: { ref: { ...ref, digest }, purpose: "pull" as const },
    expects: [400, 404, 405],
  };
  for await (const { answer, body } of readPages(session, endpoint, request, { signal, limits, what: "referrers", ref })) {
    // A registry without the API may answer its web pages to every address.
    if (body === undefined || !isIndex((answer.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "")) return undefined;
    found.push(...parseReferrers(body, endpoint, ref));
  }
  return ofType(found, artifactType);
}

function parseReferrers(body: unknown, endpoint: Endpoint, ref: ImageReference): readonly Descriptor[] {
  try {
    return parseIndex(Buffer.from(JSON.stringify(body))).manifests;
  } catch (cause) {
    if (!isVarveError(cause)) throw cause;
    throw new VarveError("REGISTRY_PROTOCOL", `${endpoint.host} lists the referrers of ${familiarName(ref)} in no index`, {
      cause,
    });
  }
}

/** The tag under which registries without the API keep the list. (OCI distribution-spec, "Referrers Tag Schema") */
export function referrersTag(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}`.slice(0, 128);
}

/** The list kept under a tag; none is an empty one. */
export async function readReferrersTag(
  client: Pick<RegistryClient, "resolve" | "fetchManifest">,
  ref: ImageReference,
  digest: Digest,
  options: { readonly signal: AbortSignal; readonly artifactType?: string | undefined },
): Promise<readonly Descriptor[]> {
  const { signal, artifactType } = options;
  const { digest: _, ...repository } = ref;
  const tagged = { ...repository, tag: referrersTag(digest) };
  try {
    const { descriptor, bytes } = await client.resolve(tagged, { signal });
    if (!isIndex(descriptor.mediaType)) return [];
    const index = parseIndex(bytes ?? (await client.fetchManifest(tagged, descriptor, { signal })).bytes);
    return ofType(index.manifests, artifactType);
  } catch (error) {
    if (isVarveError(error) && error.code === "REGISTRY_NOT_FOUND") return [];
    throw error;
  }
}

/** Adds a referrer to the list kept under a tag, for a registry without the API. */
export async function addToReferrersTag(
  client: Pick<RegistryClient, "resolve" | "fetchManifest" | "pushManifest">,
  ref: ImageReference,
  digest: Digest,
  referrer: Descriptor,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const known = await readReferrersTag(client, ref, digest, options);
  if (known.some((each) => each.digest === referrer.digest)) return;
  const { digest: _, ...repository } = ref;
  const bytes = serializeIndex({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...known, referrer] });
  await client.pushManifest({ ...repository, tag: referrersTag(digest) }, mediaTypes.ociIndex, bytes, options);
}

function ofType(list: readonly Descriptor[], artifactType: string | undefined): readonly Descriptor[] {
  return artifactType === undefined ? list : list.filter((each) => each.artifactType === artifactType);
}
