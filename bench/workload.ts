import type { Builder } from "./builders.ts";

/** What a workload has to measure with. */
export interface Bench {
  /** Varve first, then the engine, then a BuildKit daemon where there is one. */
  readonly builders: readonly Builder[];
  /** How often each builder does it, one after the other. */
  readonly runs: (byDefault: number) => number;
  /** A new folder; all are deleted when everything has been measured, since a file system that has just deleted is slow. */
  readonly folder: (name: string) => string;
  /** Sizes of the workloads, to be tried in small. */
  readonly size: { readonly files: number; readonly layerMb: number; readonly memoryGb: number; readonly imageMb: number };
  readonly base: string;
  readonly say: (text: string) => void;
}

/** One line of the results. */
export interface Row {
  readonly what: string;
  /** How large Varve's time over the engine's may be. */
  readonly target?: number;
  /** Milliseconds of each run, by the builder's name; what they are compared with may be no builder. */
  readonly times: ReadonlyMap<string, readonly number[]>;
}

/** What is not a time beside another. */
export interface Finding {
  readonly what: string;
  readonly found: string;
  readonly target: string;
}

export interface Workload {
  readonly name: string;
  readonly measure: (bench: Bench) => Promise<readonly (Row | Finding)[]>;
}

/** Milliseconds of `work` by builder, measured alternately: what else the machine does falls on all alike. */
export async function alternate(
  builders: readonly Builder[],
  runs: number,
  work: (builder: Builder, run: number) => Promise<number>,
): Promise<Map<string, number[]>> {
  const times = new Map(builders.map(({ name }) => [name, [] as number[]]));
  for (let run = 0; run < runs; run += 1) {
    const turn = run % 2 === 0 ? builders : builders.toReversed();
    for (const builder of turn) times.get(builder.name)?.push(await work(builder, run));
  }
  return times;
}
