/** Bounds on caches, each the same in reading and writing, so that nothing is written that nobody would read. */
export const cacheLimits = {
  /** Bytes of a cache's manifest, and of its config. BuildKit reads no larger ones (L67). About 3000 layers, 5000 steps. */
  maxCacheDocumentBytes: 1024 * 1024,
  /** Bytes of an image's config that may hold an inline cache. */
  maxInlineConfigBytes: 8 * 1024 * 1024,
  /** Images of an index that are looked at for inline caches. */
  maxInlineImages: 64,
} as const;
