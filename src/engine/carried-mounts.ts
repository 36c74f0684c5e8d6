import { isMountLayer, readMount, shownId } from "../cache-mounts/index.ts";
import type { CacheImport, CarriedNames, ImportedCache } from "../cache-transfer/index.ts";
import { isVarveError } from "../errors/index.ts";
import { dropBlobs, packMounts, placeMounts } from "./cache-mounts.ts";
import type { Reporting } from "./compile-input.ts";
import { internalStep } from "./internal-step.ts";
import type { Parts } from "./parts.ts";

type Descriptor = ImportedCache["descriptor"];

/** Cache mounts as further blobs of a build cache. They are in the content store until they are disposed of. */
export interface CarriedMounts extends AsyncDisposable {
  readonly descriptors: readonly Descriptor[];
}

/** Packs the mounts that a cache is to carry: none, all there are, or those of these ids. */
export async function packCarried(
  wanted: CarriedNames | undefined,
  parts: Parts,
  { emit, signal }: Pick<Reporting, "emit"> & { readonly signal: AbortSignal },
): Promise<CarriedMounts> {
  const packed =
    wanted === undefined || wanted === false
      ? []
      : await packMounts(parts, { names: wanted === true ? undefined : wanted, signal, emit });
  const descriptors = packed.map(({ descriptor }) => descriptor);
  return {
    descriptors,
    [Symbol.asyncDispose]: () =>
      dropBlobs(
        parts,
        descriptors.map(({ digest }) => digest),
      ),
  };
}

/**
 * Fills the mount of an id from the caches that a build imports, where the store has none with content: before the first
 * step that mounts it, and only for a step that runs. What cannot be had is a warning, and the step begins with what there is.
 */
export function createMountFiller(
  caches: () => Promise<readonly { readonly given: CacheImport; readonly cache: ImportedCache }[]>,
  parts: Parts,
  { emit, warn }: Reporting,
  signal: AbortSignal,
): (id: string) => Promise<void> {
  const filled = new Map<string, Promise<void>>();
  const fill = async (id: string): Promise<void> => {
    for (const { given, cache } of await caches()) {
      const { documents, reference } = cache.origin;
      try {
        const layers = mountsOf(cache, given, id);
        if (layers.length === 0) continue;
        await internalStep(`importing cache mount ${shownId(id)}`, emit, async (status) =>
          placeMounts(
            { layers, read: (descriptor) => documents.fetchBlob(reference, descriptor, { signal }) },
            { parts, replace: false, signal, status },
          ),
        );
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!isVarveError(error)) throw error;
        warn({
          rule: "CacheImportFailed",
          message: `the cache mount ${shownId(id)} begins without its import: ${error.message}`,
        });
      }
    }
  };
  return (id) => {
    const running = filled.get(id) ?? fill(id);
    filled.set(id, running);
    return running;
  };
}

function mountsOf({ extras }: ImportedCache, { mounts }: CacheImport, id: string) {
  const name = shownId(id);
  if (mounts === undefined || mounts === false || (mounts !== true && !mounts.includes(name))) return [];
  return extras
    .filter(isMountLayer)
    .filter((descriptor) => readMount(descriptor).id === id)
    .map((descriptor) => ({ id: name, descriptor }));
}
