import { resolve } from "node:path";
import {
  findInCacheFolder,
  readCache,
  startImports,
  withImports,
  type CacheImport,
  type CacheImports,
  type CacheOrigin,
  type ImportedCache,
} from "../cache-transfer/index.ts";
import { parseDigest, parseReference, withDefaultTag, type ImageReference } from "../oci/index.ts";
import type { Ref } from "../snapshots/index.ts";
import type { CacheStore } from "../solver/index.ts";
import { openImageLayout, type TransferStatus } from "../sources/index.ts";
import { createMountFiller } from "./carried-mounts.ts";
import type { Reporting } from "./compile-input.ts";
import { internalStep } from "./internal-step.ts";
import type { Parts } from "./parts.ts";

/** The caches that a build imports, and how its solve uses them. */
export interface OpenImports {
  readonly imports: CacheImports;
  /** Gives a cache mount what an imported cache has of it; absent where no mounts were asked for. */
  readonly fillMount?: (id: string) => Promise<void>;
  /** The store's cache with the imported ones behind it; `onStatus` is told of what is fetched for a vertex. */
  readonly cacheFor: (onStatus: (vertex: string, status: TransferStatus) => void) => CacheStore<Ref>;
}

/**
 * Begins to read caches, beside what else a build begins with. One that cannot be read is a warning, and the build goes on
 * without it (Q11).
 */
export function openImports(
  given: readonly CacheImport[],
  parts: Parts,
  { emit, warn }: Reporting,
  { signal }: { readonly signal: AbortSignal },
): OpenImports {
  const warnOf = (text: string, error: unknown, vertex?: string): void =>
    warn({ rule: "CacheImportFailed", message: `${text}: ${error instanceof Error ? error.message : String(error)}` }, vertex);

  async function read(each: CacheImport): Promise<ImportedCache | undefined> {
    const name = nameOf(each);
    try {
      return await internalStep(`importing cache manifest from ${name}`, emit, async () =>
        readCache(await originOf(each, parts), { signal }),
      );
    } catch (error) {
      if (!signal.aborted) warnOf(`the cache ${name} is left out`, error);
      return undefined;
    }
  }

  const found = new Map<ImportedCache, CacheImport>();
  const failing = new Set<ImportedCache>();
  const imports = startImports(
    given.map((each) => async () => {
      const cache = await read(each);
      if (cache !== undefined) found.set(cache, each);
      return cache;
    }),
  );
  const withMounts = async () =>
    (await imports.ready).flatMap((cache) => {
      const from = found.get(cache);
      return from?.mounts === undefined ? [] : [{ cache, given: from }];
    });
  return {
    imports,
    ...(given.some(({ mounts }) => mounts !== undefined) && {
      fillMount: createMountFiller(withMounts, parts, { emit, warn }, signal),
    }),
    cacheFor: (onStatus) =>
      withImports(parts.cache, {
        imports,
        async unpack(layers, { origin: { reference, documents } }, { signal: solving, vertex }) {
          const open = new Map<string, TransferStatus>();
          try {
            return await parts.imageSource.unpackLayers(
              {
                reference,
                origin: documents,
                layers: undefined,
                config: { rootfs: { diff_ids: layers.map(({ diffId }) => diffId) } },
                manifest: { layers: layers.map(({ blob }) => blob) },
              },
              {
                signal: solving,
                onStatus(status) {
                  open.set(status.id, status);
                  onStatus(vertex, status);
                },
              },
            );
          } finally {
            // the step goes on by other means, and nothing of this is under way any more
            for (const status of open.values()) if (!status.done) onStatus(vertex, { ...status, done: true });
          }
        },
        onFailure(error, cache, vertex) {
          // the first tells enough: steps often share their lower layers
          if (failing.has(cache)) return;
          failing.add(cache);
          warnOf("layers of an imported cache could not be had, and steps that need them run", error, vertex);
        },
      }),
  };
}

function nameOf(each: CacheImport): string {
  return each.type === "registry" ? each.ref : `local:${each.src}`;
}

async function originOf(each: CacheImport, parts: Parts): Promise<CacheOrigin> {
  if (each.type === "registry") {
    const reference = withDefaultTag(parseReference(each.ref));
    const documents = each.insecure === true ? parts.insecureRegistry(reference.domain) : parts.registry;
    return { documents, reference, isRegistry: true };
  }
  const folder = resolve(each.src);
  const digest = each.digest === undefined ? await findInCacheFolder(folder, each.tag ?? "latest") : parseDigest(each.digest);
  return { documents: openImageLayout(folder), reference: inFolder(digest), isRegistry: false };
}

/** Names mean nothing in a folder; a reference is what digests are asked for with. */
function inFolder(digest: ReturnType<typeof parseDigest>): ImageReference {
  return { ...parseReference("cache"), digest };
}
