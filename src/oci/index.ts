/**
 * The languages of images: digests, references, platforms, manifests, indexes and image configs, from text and bytes to
 * values and back. Pure: no files, no network, no clock. What it does not know in a document it keeps; what is
 * against the specification it refuses with a code.
 */
export type {
  ContainerConfig,
  Descriptor,
  Digest,
  HealthConfig,
  HistoryEntry,
  ImageConfig,
  Index,
  Manifest,
  Platform,
  PlatformSpec,
} from "./types.ts";
export { digestAlgorithm, digestHex, digestOfHex, isDigest, parseDigest, sha256 } from "./digest.ts";
export {
  canonicalName,
  familiarName,
  familiarReference,
  formatReference,
  isReference,
  parseReference,
  withDefaultTag,
  type ImageReference,
} from "./reference.ts";
export { formatPlatform, hostPlatform, normalizePlatform, parsePlatform, platformOfSpec, platformToSpec } from "./platform.ts";
export { acceptedPlatforms, matchPlatform, selectManifest } from "./platform-match.ts";
export { compressionOfLayer, isIndex, isLayer, isManifest, mediaTypes, type LayerCompression } from "./media-types.ts";
export { listsManifests, parseIndex, parseManifest } from "./manifest.ts";
export { parseImageConfig } from "./image-config.ts";
export { serializeConfig, serializeIndex, serializeManifest } from "./serialize.ts";
export { encodeGoJson } from "./go-json.ts";
export { chainId, chainIds } from "./chain.ts";
