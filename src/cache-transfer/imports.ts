import type { CacheLayer } from "./types.ts";
import type { ImportedCache } from "./read-cache.ts";
import type { FoundRecord } from "./records.ts";

/** The caches that a build was told to use besides its own store, the first one first. */
export interface CacheImports {
  /** When all are read; those that could not be are left out. Never rejects. */
  readonly ready: Promise<readonly ImportedCache[]>;
  /** All candidates for a key. */
  candidates(key: string): Promise<readonly ImportedResult[]>;
  link(fastKey: string): Promise<{ readonly key: string; readonly inputKeys: readonly string[] } | undefined>;
  knows(key: string): Promise<boolean>;
}

export interface ImportedResult {
  readonly cache: ImportedCache;
  readonly inputKeys: FoundRecord["inputKeys"];
  /** From the lowest up. */
  readonly layers: readonly CacheLayer[];
}

/**
 * Reads caches in the background; lookups wait for them. `read` gives undefined for a cache that cannot be had, after it has
 * told so: a build goes on without it (Q11).
 */
export function startImports(read: readonly (() => Promise<ImportedCache | undefined>)[]): CacheImports {
  const ready = Promise.all(read.map((each) => each())).then((caches) => caches.filter((cache) => cache !== undefined));
  // Who asks learns of it; a build that never asks must not end by it.
  ready.catch(() => undefined);
  return {
    ready,
    async candidates(key) {
      return (await ready).flatMap((cache) => {
        const record = cache.records.record(key);
        return (record?.results ?? []).flatMap((blobs) => {
          const layers = cache.layersOf(blobs);
          return layers === undefined ? [] : [{ cache, inputKeys: record?.inputKeys ?? [], layers }];
        });
      });
    },
    async link(fastKey) {
      for (const { records } of await ready) {
        const link = records.link(fastKey);
        if (link !== undefined) return link;
      }
      return undefined;
    },
    knows: async (key) => (await ready).some(({ records }) => records.has(key)),
  };
}
