import { isVarveError } from "../errors/index.ts";
import { joinSignals, throwIfAborted, type ByteSource } from "../flow/index.ts";
import type { Descriptor, Digest, ImageReference } from "../oci/index.ts";
import { streamBlob } from "./blobs.ts";
import type { CredentialSource } from "./credentials.ts";
import { endpointsOf, type Endpoint, type RegistryConfig } from "./endpoints.ts";
import { isPassing } from "./failures.ts";
import { registryLimits, type RegistryLimits } from "./limits.ts";
import { getManifest, resolveManifest, type FetchedManifest, type ResolvedManifest } from "./manifests.ts";
import { putBlob, putManifest, type PushedBlob } from "./push.ts";
import { createSession } from "./session.ts";

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
   * Uploads a blob unless it is there; `mountFrom` names a repository of the same registry that may have it. `open` may
   * be called again for a retry.
   */
  pushBlob(
    ref: ImageReference,
    descriptor: Pick<Descriptor, "digest" | "size">,
    open: () => ByteSource,
    options?: CallOptions & { mountFrom?: string },
  ): Promise<PushedBlob>;
  /** Stores a manifest or index under the reference's tag, or its digest when it has no tag. */
  pushManifest(ref: ImageReference, mediaType: string, bytes: Uint8Array, options?: CallOptions): Promise<Descriptor>;
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
  });
  const restingUntil = new Map<string, number>();
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

  return {
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
    fetchBlob: (ref, descriptor, call) =>
      streamBlob(session, () => pullEndpoints(ref), ref, descriptor, {
        signal: signalOf(call),
        offset: call?.offset ?? 0,
        limits,
      }),
    pushBlob: (ref, descriptor, open, call) =>
      putBlob(session, ownEndpoint(ref), ref, descriptor, open, {
        signal: signalOf(call),
        limits,
        mountFrom: call?.mountFrom,
      }),
    pushManifest: (ref, mediaType, bytes, call) =>
      putManifest(session, ownEndpoint(ref), ref, mediaType, bytes, {
        signal: signalOf(call),
        limits,
      }),
    close: () => session.close(),
  };
}
