import type { Cache } from "../cache/index.ts";
import type { Digest } from "../oci/index.ts";
import type { StackRef } from "../snapshots/index.ts";
import type { SolvedVertex } from "../solver/index.ts";
import type { CacheImports } from "./imports.ts";
import type { CacheLayer } from "./types.ts";

export interface CollectOptions {
  readonly vertices: readonly SolvedVertex[];
  /** The build's results. */
  readonly targets: readonly StackRef[];
  readonly cache: Pick<Cache, "peek">;
  /** Results that the store has not but an imported cache has are handed on. */
  readonly imports: CacheImports | undefined;
}

/**
 * The layers of each step's result, where it has one: of all steps, or (`min`) of those whose layers are the result's too,
 * which cost nothing more. Results of several outputs have no place in a cache's format, and none without layers.
 */
export async function collectResults(
  options: CollectOptions & {
    readonly mode: "min" | "max";
    /** Makes the layers of a stack. */
    readonly pack: (stack: StackRef) => Promise<readonly CacheLayer[]>;
  },
): Promise<Map<string, readonly CacheLayer[]>> {
  const { vertices, targets, mode, imports, pack } = options;
  const own =
    mode === "max"
      ? undefined
      : { ids: new Set(targets.flatMap(({ layers }) => layers)), diffIds: await diffIdsOf(targets, pack) };
  const results = new Map<string, readonly CacheLayer[]>();
  for (const { key, volatile } of vertices) {
    if (volatile || results.has(key)) continue;
    const stack = stackOf(key, options);
    if (stack !== undefined) {
      if (own === undefined || stack.layers.every((id) => own.ids.has(id))) results.set(key, await pack(stack));
      continue;
    }
    const handedOn = (await imports?.candidates(key))?.find(
      ({ layers }) => own === undefined || layers.every(({ diffId }) => own.diffIds.has(diffId)),
    );
    if (handedOn !== undefined) results.set(key, handedOn.layers);
  }
  return results;
}

/** For an inline cache: which of an image's layers, from the lowest up, a step's result is made of. */
export async function collectPositions(
  options: Omit<CollectOptions, "targets"> & {
    readonly target: StackRef;
    /** Of the result's layers. */
    readonly diffIds: readonly Digest[];
  },
): Promise<Map<string, readonly number[]>> {
  const { vertices, target, imports, diffIds } = options;
  const positions = new Map<string, readonly number[]>();
  for (const { key, volatile } of vertices) {
    if (volatile || positions.has(key)) continue;
    const stack = stackOf(key, options);
    const candidates = stack === undefined ? ((await imports?.candidates(key)) ?? []) : [];
    const found = [
      ...(stack === undefined ? [] : [stack.layers.map((id) => target.layers.indexOf(id))]),
      ...candidates.map(({ layers }) => layers.map(({ diffId }) => diffIds.indexOf(diffId))),
    ].find((list) => !list.includes(-1));
    if (found !== undefined) positions.set(key, found);
  }
  return positions;
}

async function diffIdsOf(
  targets: readonly StackRef[],
  pack: (stack: StackRef) => Promise<readonly CacheLayer[]>,
): Promise<Set<Digest>> {
  const found = new Set<Digest>();
  for (const target of targets) for (const { diffId } of await pack(target)) found.add(diffId);
  return found;
}

function stackOf(key: string, { cache }: Pick<CollectOptions, "cache">): StackRef | undefined {
  const [output, ...more] = cache.peek(key) ?? [];
  return output?.kind === "stack" && output.layers.length > 0 && more.length === 0 ? output : undefined;
}
