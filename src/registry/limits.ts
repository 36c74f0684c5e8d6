/** Every bound on what a registry can make Varve wait for or hold; options of the client override them one by one. */
export interface RegistryLimits {
  /** From the start of a connection until it can be used, TLS included. */
  readonly connectTimeoutMs: number;
  /** From the sent request until the head of the answer. */
  readonly headersTimeoutMs: number;
  /** Between two pieces of an answer's or a request's body. */
  readonly idleTimeoutMs: number;
  /** Fewer bytes of a body than this within `idleTimeoutMs` count as none; also what earns a broken transfer new tries. */
  readonly minProgressBytes: number;
  /** From the last byte of an upload until the answer: the registry hashes and stores it then. */
  readonly uploadAnswerTimeoutMs: number;
  /** Tries of one request in all; also tries without progress of one blob. */
  readonly attempts: number;
  /** The first pause between tries. It doubles, with jitter. */
  readonly retryDelayMs: number;
  /** The longest pause, also where `Retry-After` asks for more. */
  readonly maxRetryDelayMs: number;
  /** A mirror that did not answer is passed over for this long. */
  readonly mirrorRestMs: number;
  readonly maxRedirects: number;
  /** Blobs of one image that are sent at the same time. */
  readonly parallelUploads: number;
  /** After an upload broke off, blobs go on in pieces of this size, each acknowledged. A registry may ask for larger ones. */
  readonly uploadChunkBytes: number;
  /** A larger manifest or index is `REGISTRY_TOO_LARGE`. The same number as containerd's. */
  readonly maxManifestBytes: number;
  /** A larger answer of a token endpoint is `REGISTRY_TOO_LARGE`. */
  readonly maxTokenBytes: number;
  /** Pages of a list of tags or referrers that are asked for; more is `REGISTRY_TOO_LARGE`. */
  readonly maxPages: number;
}

export const registryLimits: RegistryLimits = {
  connectTimeoutMs: 30_000,
  headersTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
  minProgressBytes: 4096,
  uploadAnswerTimeoutMs: 300_000,
  attempts: 5,
  retryDelayMs: 500,
  maxRetryDelayMs: 60_000,
  mirrorRestMs: 30_000,
  maxRedirects: 10,
  parallelUploads: 5,
  uploadChunkBytes: 16 * 1024 * 1024,
  maxManifestBytes: 4 * 1024 * 1024,
  maxTokenBytes: 1024 * 1024,
  maxPages: 1000,
};
