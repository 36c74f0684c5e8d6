import { isVarveError } from "../errors/index.ts";
import { joinSignals, throwIfAborted, type ByteSource } from "../flow/index.ts";
import type { Descriptor, Digest, ImageReference } from "../oci/index.ts";
import { checkCredentials } from "./check-credentials.ts";
import { streamBlob } from "./blobs.ts";
import type { Credentials, CredentialSource } from "./credentials.ts";
import { endpointsOf, type Endpoint, type RegistryConfig } from "./endpoints.ts";
import { isPassing } from "./failures.ts";
import { registryLimits, type RegistryLimits } from "./limits.ts";
import { getManifest, resolveManifest, type FetchedManifest, type ResolvedManifest } from "./manifests.ts";
import { putBlob, putManifest, type PushedBlob } from "./push.ts";
import { addToReferrersTag, askReferrers, readReferrersTag } from "./referrers.ts";
import { createSession } from "./session.ts";
import { readTags } from "./tags.ts";

export type { FetchedManifest, ResolvedManifest } from "./manifests.ts";

export interface RegistryClientOptions {
  /** Settings by host; none by default. */
  readonly config?: RegistryConfig;
  /** Asked once for each host and scope that wants them; anonymous by default. */
  readonly credentials?: CredentialSource;
  readonly userAgent: string;
  /** Ends every call of the client. */
  readonly signal?: AbortSignal;
  readonly limits?: Partial<RegistryLimits>;
  /**
   * `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` and their lower-case forms; proxies are used where Node supports them (24.5
   * and later).
   */
  readonly proxyEnv?: Readonly<Record<string, string>>;
}

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Speaks OCI distribution-spec 1.1 to the registries that references name, and to their mirrors. */
export interface RegistryClient {
  readonly limits: RegistryLimits;
  /**
   * What a tag or digest stands for now. `bytes` are there when they came along; fetch them else. Without tag and
   * digest: `latest`.
   */
  resolve(ref: ImageReference, options?: CallOptions): Promise<ResolvedManifest>;
  /** A manifest or index by digest, verified, at most 4 MiB. */
  fetchManifest(ref: ImageReference, target: Descriptor | Digest, options?: CallOptions): Promise<FetchedManifest>;
  /**
   * A blob's bytes from `offset` on, fetched when reading starts. Broken connections are resumed. Not verified: whoever stores
   * the bytes does. Stops soon after `descriptor.size` bytes, if the registry sends more.
   */
  fetchBlob(
    ref: ImageReference,
    descriptor: Pick<Descriptor, "digest" | "size">,
    options?: CallOptions & { offset?: number },
  ): ByteSource;
  /**
   * Says that the bytes which a mirror gave for a blob were wrong: it is not asked for this blob again. True when it was a
   * mirror, and so another endpoint may have the right ones.
   */
  rejectBlob(ref: ImageReference, digest: Digest): boolean;
  /**
   * Uploads a blob unless it is there; `mountFrom` names repositories of the same registry that may have it. `open` may
   * be called again for a retry. An upload that breaks off goes on where the registry says it stands.
   */
  pushBlob(
    ref: ImageReference,
    descriptor: Pick<Descriptor, "digest" | "size">,
    open: () => ByteSource,
    options?: CallOptions & { mountFrom?: string | readonly string[]; onProgress?: (bytes: number) => void },
  ): Promise<PushedBlob>;
  /** Stores a manifest or index under the reference's tag, or its digest when it has no tag. */
  pushManifest(ref: ImageReference, mediaType: string, bytes: Uint8Array, options?: CallOptions): Promise<Descriptor>;
  /** All tags of a repository, asked of the registry itself. */
  listTags(ref: ImageReference, options?: CallOptions): Promise<readonly string[]>;
  /**
   * The manifests whose `subject` is `digest`: by the referrers API, or by the tag that stands in for it where the registry
   * has no such API.
   */
  listReferrers(
    ref: ImageReference,
    digest: Digest,
    options?: CallOptions & { artifactType?: string },
  ): Promise<readonly Descriptor[]>;
  /**
   * Stores a manifest that names a subject, by its digest; adds it to the list under the subject's tag where the registry
   * does not keep the list itself. `referrer` holds what the list says of it besides type, digest and size.
   */
  pushReferrer(
    ref: ImageReference,
    subject: Digest,
    mediaType: string,
    bytes: Uint8Array,
    options?: CallOptions & { referrer?: Pick<Descriptor, "artifactType" | "annotations"> },
  ): Promise<Descriptor>;
  /**
   * Proves credentials to a registry (its host as it stands in references), as `docker login` does; `REGISTRY_DENIED` where
   * it refuses them. Resolves with what to keep: a token server may give an identity token in place of the password.
   */
  checkCredentials(host: string, credentials: Credentials, options?: CallOptions): Promise<Credentials>;
  /** Ends kept connections. The client is not used any more. */
  close(): void;
}

export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const config = options.config ?? {};
  const limits = { ...registryLimits, ...options.limits };
  const credentials = options.credentials ?? (async () => undefined);
  const session = createSession({
    credentials,
    userAgent: options.userAgent,
    limits,
    proxyEnv: options.proxyEnv,
    settingsOf: (host) => (Object.hasOwn(config, host) ? config[host] : undefined),
  });
  const restingUntil = new Map<string, number>();
  const rejected = new Set<string>();
  const blobSources = new Map<string, Endpoint>();
  const signalOf = (call: CallOptions | undefined): AbortSignal => joinSignals(options.signal, call?.signal);

  /** The mirrors that are awake, and the registry itself. */
  const pullEndpoints = (ref: ImageReference): Endpoint[] =>
    endpointsOf(ref, config, "pull").filter(({ mirror, host }) => !mirror || (restingUntil.get(host) ?? 0) <= Date.now());

  /** The first endpoint's answer; a mirror's failure only means the next. */
  const fromAny = async <T>(
    ref: ImageReference,
    signal: AbortSignal,
    ask: (endpoint: Endpoint, attempts: number) => Promise<T>,
  ): Promise<T> => {
    const endpoints = pullEndpoints(ref);
    for (const endpoint of endpoints.slice(0, -1)) {
      try {
        return await ask(endpoint, 1);
      } catch (error) {
        throwIfAborted(signal);
        if (!isVarveError(error)) throw error;
        if (isPassing(error) || error.code === "REGISTRY_UNREACHABLE")
          restingUntil.set(endpoint.host, Date.now() + limits.mirrorRestMs);
      }
    }
    const [own] = endpoints.slice(-1);
    if (own === undefined) throw new TypeError("a registry has at least its own endpoint");
    return await ask(own, limits.attempts);
  };
  const ownEndpoint = (ref: ImageReference): Endpoint => {
    const [own] = endpointsOf(ref, config, "push");
    if (own === undefined) throw new TypeError("a registry has at least its own endpoint");
    return own;
  };

  const client: RegistryClient = {
    limits,
    async resolve(ref, call) {
      const signal = signalOf(call);
      return await fromAny(ref, signal, (endpoint, attempts) =>
        resolveManifest(session, endpoint, ref, { signal, attempts, limits }),
      );
    },
    async fetchManifest(ref, target, call) {
      const signal = signalOf(call);
      return await fromAny(ref, signal, (endpoint, attempts) =>
        getManifest(session, endpoint, ref, target, { signal, attempts, limits }),
      );
    },
    fetchBlob(ref, descriptor, call) {
      const { digest } = descriptor;
      return streamBlob(
        session,
        () => pullEndpoints(ref).filter(({ host, mirror }) => !mirror || !rejected.has(`${host} ${digest}`)),
        ref,
        descriptor,
        {
          signal: signalOf(call),
          offset: call?.offset ?? 0,
          limits,
          onEndpoint: (endpoint) => blobSources.set(`${ref.domain}/${ref.path}@${digest}`, endpoint),
        },
      );
    },
    rejectBlob(ref, digest) {
      const endpoint = blobSources.get(`${ref.domain}/${ref.path}@${digest}`);
      if (endpoint?.mirror !== true) return false;
      rejected.add(`${endpoint.host} ${digest}`);
      return true;
    },
    async pushBlob(ref, descriptor, open, call = {}) {
      const { mountFrom = [], onProgress } = call;
      return await putBlob(session, ownEndpoint(ref), ref, descriptor, open, {
        signal: signalOf(call),
        limits,
        mountFrom: typeof mountFrom === "string" ? [mountFrom] : mountFrom,
        onProgress,
      });
    },
    async pushManifest(ref, mediaType, bytes, call) {
      return (await putManifest(session, ownEndpoint(ref), ref, mediaType, bytes, { signal: signalOf(call) })).descriptor;
    },
    listTags: async (ref, call) => await readTags(session, ownEndpoint(ref), ref, { signal: signalOf(call), limits }),
    async listReferrers(ref, digest, call = {}) {
      const options = { signal: signalOf(call), limits, artifactType: call.artifactType };
      const found = await askReferrers(session, ownEndpoint(ref), ref, digest, options);
      return found ?? (await readReferrersTag(client, ref, digest, options));
    },
    async pushReferrer(ref, subject, mediaType, bytes, call = {}) {
      const signal = signalOf(call);
      const { tag: _, digest: __, ...repository } = ref;
      const put = await putManifest(session, ownEndpoint(ref), repository, mediaType, bytes, { signal });
      const listed = { ...put.descriptor, ...call.referrer };
      if (put.subject === undefined) await addToReferrersTag(client, repository, subject, listed, { signal });
      return put.descriptor;
    },
    async checkCredentials(host, known, call) {
      const endpoint = ownEndpoint({ domain: host, path: "" });
      return await checkCredentials(
        { endpoint, known, userAgent: options.userAgent, limits, proxyEnv: options.proxyEnv },
        {
          signal: signalOf(call),
        },
      );
    },
    close: () => session.close(),
  };
  return client;
}
