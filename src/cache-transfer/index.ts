/**
 * Caches that travel: what a build found out, as a cache manifest in BuildKit's format that a registry or a folder carries,
 * or in an image's config; and such a cache as further answers to the solver's lookups. It neither makes layers nor unpacks
 * them: both are handed in. What it reads was written by others, and is checked as such.
 */
export type { CacheExport, CacheImport, CacheLayer, CarriedNames, Compressing } from "./types.ts";
export { createFolderTarget, findInCacheFolder } from "./folder.ts";
export { createRegistryTarget } from "./registry-target.ts";
export { exportCache, type CacheTarget, type ExportCacheOptions } from "./export-cache.ts";
export { collectPositions, collectResults, type CollectOptions } from "./collect-results.ts";
export { encodeInlineCache, inlineCacheMember } from "./inline.ts";
export { readCache, type CacheOrigin, type ImportedCache } from "./read-cache.ts";
export { startImports, type CacheImports } from "./imports.ts";
export { withImports, type UnpackChain } from "./with-imports.ts";
export { recompressLayer } from "./recompress.ts";
