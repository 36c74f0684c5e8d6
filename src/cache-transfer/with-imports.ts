import type { Cache } from "../cache/index.ts";
import type { Ref, StackRef } from "../snapshots/index.ts";
import type { CacheStore, LoadContext } from "../solver/index.ts";
import type { CacheImports, ImportedResult } from "./imports.ts";
import type { ImportedCache } from "./read-cache.ts";
import type { CacheLayer } from "./types.ts";

/** Fetches layers from where a cache was read, checks and unpacks them; layers that the store has are taken from it. */
export type UnpackChain = (
  layers: readonly CacheLayer[],
  cache: ImportedCache,
  context: { readonly signal: AbortSignal; readonly vertex: string },
) => Promise<StackRef>;

export interface WithImportsOptions {
  readonly imports: CacheImports;
  readonly unpack: UnpackChain;
  /** Told when layers of a cache could not be had; the step runs then, unless another cache has it. */
  readonly onFailure: (error: unknown, cache: ImportedCache, vertex: string) => void;
}

/**
 * The store's cache, and behind it the imported ones: they are asked only what the store does not know. A result is fetched
 * when it is needed, and then belongs to the store, like one that was made here.
 */
export function withImports(cache: Cache, { imports, unpack, onFailure }: WithImportsOptions): CacheStore<Ref> {
  const failed = new Set<string>();

  /** Keys of which the store knew nothing: what it now has of their users was imported with them. */
  const isNew = new Set<string>();

  function noteNew(keys: readonly string[]): void {
    for (const key of keys) if (!cache.knows(key)) isNew.add(key);
  }

  async function importLink(fastKey: string): Promise<string | undefined> {
    const found = await imports.link(fastKey);
    if (found === undefined) return undefined;
    noteNew([found.key, ...found.inputKeys]);
    cache.saveLink(fastKey, found.key, found.inputKeys);
    return found.key;
  }

  async function importResult(key: string, context: LoadContext<Ref>): Promise<readonly (Ref | undefined)[] | undefined> {
    const { vertex, signal, onFetch } = context;
    for (const candidate of await imports.candidates(key)) {
      signal.throwIfAborted();
      onFetch();
      const stack = await tryUnpack(candidate, context);
      if (stack === undefined) continue;
      noteNew([key, ...candidate.inputKeys]);
      const record = { key, inputKeys: candidate.inputKeys, outputs: [stack], vertex };
      if (!isNew.has(key)) return cache.keep(record);
      cache.adopt(record);
      return [stack];
    }
    return undefined;
  }

  async function tryUnpack(
    { layers, cache: from }: ImportedResult,
    { vertex: { id: vertex }, signal }: LoadContext<Ref>,
  ): Promise<StackRef | undefined> {
    const chain = layers.map(({ blob }) => blob.digest).join(" ");
    if (failed.has(chain)) return undefined;
    try {
      return await unpack(layers, from, { signal, vertex });
    } catch (error) {
      signal.throwIfAborted();
      failed.add(chain);
      onFailure(error, from, vertex);
      return undefined;
    }
  }

  return {
    link: (fastKey) => cache.link(fastKey) ?? importLink(fastKey),
    saveLink: (fastKey, key, inputKeys) => cache.saveLink(fastKey, key, inputKeys),
    knows: (key) => cache.knows(key) || imports.knows(key),
    peek: (key) => cache.peek(key),
    load: (key, context) => cache.peek(key) ?? (context && importResult(key, context)),
    save: (record) => cache.save(record),
    keep: (record) => cache.keep(record),
  };
}
