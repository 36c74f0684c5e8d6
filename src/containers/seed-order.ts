import type { ContainerRoom } from "./room.ts";
import type { MountRequest } from "./types.ts";

/**
 * Runs what looks whether the volumes of these mounts are to be filled from the image, fills them and says so, while no other container
 * does with one of them: two that begin at the same time would copy into each other's files, or one would begin with half of them.
 */
export async function inSeedOrder<T>(
  { volumes, locked }: Pick<ContainerRoom, "volumes" | "locked">,
  mounts: readonly MountRequest[],
  work: () => Promise<T>,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<T> {
  const fresh = mounts.flatMap(({ type, source, noCopy }) =>
    type === "volume" && source !== undefined && noCopy !== true && volumes.isFresh(source) ? [source] : [],
  );
  // all in one order: nobody waits for who waits for them
  const names = [...new Set(fresh)].toSorted();
  const inside = names.reduceRight((inner, name) => async () => await locked(`volume ${name}`, inner, { signal }), work);
  return await inside();
}
