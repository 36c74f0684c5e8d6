import type { Environment, FileGrant, StringMap, Ulimit } from "./types.ts";

/** `build:` of a service (Compose Build Specification). */
export interface BuildSection {
  /** An absolute folder, or a URL as it was written. */
  readonly context: string;
  /** Relative to the context; `Dockerfile` unless the files name one or give `dockerfile_inline`. */
  readonly dockerfile?: string;
  readonly dockerfile_inline?: string;
  readonly entitlements?: readonly string[];
  /** Those without a value are resolved from the environment, and gone where it has none. */
  readonly args?: Environment;
  /** `true`, `false` or parameters such as `mode=max`. */
  readonly provenance?: string;
  readonly sbom?: string;
  readonly ssh?: readonly { readonly id: string; readonly path?: string }[];
  readonly labels?: StringMap;
  readonly cache_from?: readonly string[];
  readonly cache_to?: readonly string[];
  readonly no_cache?: boolean;
  readonly no_cache_filter?: readonly string[];
  /** Absolute folders, URLs, `docker-image://…`, `oci-layout://…`, `service:NAME`. */
  readonly additional_contexts?: StringMap;
  readonly pull?: boolean;
  /** `HOST=ADDRESS`, sorted. */
  readonly extra_hosts?: readonly string[];
  readonly isolation?: string;
  readonly network?: string;
  readonly target?: string;
  readonly secrets?: readonly FileGrant[];
  /** Bytes. */
  readonly shm_size?: number;
  readonly tags?: readonly string[];
  readonly ulimits?: Readonly<Record<string, Ulimit>>;
  readonly platforms?: readonly string[];
  readonly privileged?: boolean;
}
