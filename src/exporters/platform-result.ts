import type { ImageConfig, Platform } from "../oci/index.ts";
import type { StackRef } from "../snapshots/index.ts";

/**
 * What a build made for one platform. A build has a list of them, in the order in which the platforms were asked for: one
 * without a wish, and no platform twice.
 */
export interface PlatformResult {
  /** Normalised: its text (`formatPlatform`) names the result everywhere. */
  readonly platform: Platform;
  readonly stack: StackRef;
  readonly config: ImageConfig;
  /** What SOURCE_DATE_EPOCH came to for it, in seconds since 1970. */
  readonly epochSeconds?: number;
}
