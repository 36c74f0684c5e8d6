import { readMount, selectMounts, type PackedMount } from "../cache-mounts/index.ts";
import { VarveError } from "../errors/index.ts";
import type { EventSink } from "../events/index.ts";
import type { Descriptor } from "../oci/index.ts";
import type {
  CacheMountCommands,
  CacheMountDestination,
  CacheMountOrigin,
  ExportedCacheMounts,
  ImportedCacheMount,
} from "./cache-mount-types.ts";
import { findMountLayers, type FoundMounts } from "./find-mounts.ts";
import { internalStep } from "./internal-step.ts";
import type { Parts } from "./parts.ts";
import { sendMounts } from "./send-mounts.ts";

const never = new AbortController().signal;
const nobody = () => undefined;

/** The commands about the cache mounts of a store. */
export function createCacheMountCommands(needParts: () => Parts): CacheMountCommands {
  return {
    list: async ({ signal = never } = {}) => await needParts().cacheMounts.list({ signal }),
    async remove(names, { signal = never } = {}) {
      const { cacheMounts } = needParts();
      const chosen = selectMounts(await cacheMounts.list({ signal }), names === "all" ? undefined : names);
      const gone = new Set(
        await cacheMounts.remove(
          chosen.map(({ ref }) => ref),
          { signal },
        ),
      );
      const busy = chosen.find(({ ref }) => !gone.has(ref));
      if (busy !== undefined && names !== "all")
        throw new VarveError("CACHE_MOUNT_IN_USE", `the cache mount ${busy.id || busy.ref} is in use`, {
          hint: "wait until the step that has it is over",
        });
      return chosen.filter(({ ref }) => gone.has(ref));
    },
    async export({ to, names, signal = never, onEvent = nobody }) {
      return await exportMounts(needParts(), { to, names, signal, emit: onEvent });
    },
    async import({ from, ids, replace = false, signal = never, onEvent = nobody }) {
      return await importMounts(needParts(), { from, ids, replace, signal, emit: onEvent });
    },
  };
}

interface Transfer {
  readonly signal: AbortSignal;
  readonly emit: EventSink;
}

async function exportMounts(
  parts: Parts,
  { to, names, signal, emit }: Transfer & { readonly to: CacheMountDestination; readonly names: readonly string[] | undefined },
): Promise<ExportedCacheMounts> {
  const packed = await packMounts(parts, { names, signal, emit });
  if (packed.length === 0) throw new VarveError("CACHE_MOUNT_NOT_FOUND", "the store has no cache mount with content to export");
  try {
    const descriptor = await internalStep(`exporting cache mounts to ${describePlace(to)}`, emit, async (status) =>
      sendMounts(packed, to, { parts, signal, status }),
    );
    const byRef = Map.groupBy(packed, ({ mount }) => mount.ref);
    return {
      descriptor,
      mounts: [...byRef].flatMap(([ref, folders]) =>
        folders.slice(0, 1).map(({ mount: { id, sizeBytes } }) => {
          const packedBytes = folders.reduce((sum, { descriptor: { size } }) => sum + size, 0);
          return { id, ref, sizeBytes, packedBytes };
        }),
      ),
    };
  } finally {
    await dropBlobs(
      parts,
      packed.map(({ descriptor: { digest } }) => digest),
    );
  }
}

/** Blobs of mounts in the content store, which whoever asked drops again; for caches that carry them along, too. */
export async function packMounts(
  parts: Parts,
  { names, signal, emit }: Transfer & { readonly names: readonly string[] | undefined },
): Promise<readonly PackedMount[]> {
  return await internalStep("packing cache mounts", emit, async (status, vertex) =>
    parts.cacheMounts.pack(names, {
      content: parts.content,
      signal,
      onWait(id) {
        const data = Buffer.from(`waiting for the cache mount ${id}, which is in use\n`);
        emit({ type: "log", time: Date.now(), vertex, stream: 2, data });
      },
      onPacked: ({ mount, descriptor: { size } }) => status(mount.id || mount.ref, size, size, true),
    }),
  );
}

async function importMounts(
  parts: Parts,
  {
    from,
    ids,
    replace,
    signal,
    emit,
  }: Transfer & { readonly from: CacheMountOrigin; readonly ids: readonly string[] | undefined; readonly replace: boolean },
): Promise<readonly ImportedCacheMount[]> {
  return await internalStep(`importing cache mounts from ${describePlace(from)}`, emit, async (status) => {
    await using found = await findMountLayers(from, { parts, signal });
    const missing = ids?.find((id) => !found.layers.some((layer) => layer.id === id));
    if (missing !== undefined)
      throw new VarveError("CACHE_MOUNT_NOT_FOUND", `there is no cache mount ${missing} in what is imported`);
    const chosen = found.layers.filter(({ id }) => ids === undefined || ids.includes(id));
    if (chosen.length === 0)
      throw new VarveError("CACHE_MOUNT_INVALID", `${describePlace(from)} holds no cache mounts`, {
        hint: "varve cache mounts export writes such",
      });
    return await placeMounts({ ...found, layers: chosen }, { parts, replace, signal, status });
  });
}

/** Makes mounts of layers, one after the other: each is whole or not there. */
export async function placeMounts(
  { layers, read }: Pick<FoundMounts, "layers" | "read">,
  {
    parts: { content, cacheMounts },
    replace,
    signal,
    status,
  }: {
    readonly parts: Parts;
    readonly replace: boolean;
    readonly signal: AbortSignal;
    readonly status: (id: string, current: number, total: number, done: boolean) => void;
  },
): Promise<readonly ImportedCacheMount[]> {
  const outcomes: ImportedCacheMount[] = [];
  const placed = new Map<string, ImportedCacheMount["outcome"]>();
  for (const { id, descriptor } of layers) {
    const { digest, size } = descriptor;
    const { id: whole, seed = "", lane } = readMount(descriptor);
    const name = JSON.stringify([whole, seed]);
    // further folders come with the first one, or not at all
    if (lane !== undefined && (placed.get(name) ?? "placed") !== "placed") continue;
    const had = await content.has(digest);
    await content.ingest(read(descriptor), {
      expected: { digest, size },
      signal,
      onProgress: (bytes) => status(id, bytes, size, false),
    });
    try {
      const outcome = await cacheMounts.unpack(descriptor, { content, signal, replace });
      if (lane === undefined) placed.set(name, outcome);
      if (lane === undefined || !placed.has(name)) outcomes.push({ id, outcome });
      status(id, size, size, true);
    } finally {
      if (!had) await content.delete(digest);
    }
  }
  return outcomes;
}

/** What was packed to be sent is of no use any more. */
export async function dropBlobs({ content }: Parts, digests: readonly Descriptor["digest"][]): Promise<void> {
  for (const digest of digests) await content.delete(digest);
}

function describePlace(place: CacheMountDestination | CacheMountOrigin): string {
  if (place.type === "registry") return place.ref;
  const path = "dest" in place ? place.dest : place.src;
  return typeof path === "string" ? path : "a stream";
}
