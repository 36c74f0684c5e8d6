/** Chance that is the same for the same seed. */
export interface Random {
  /** A whole number from 0 up to, without, the limit. */
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** Between `least` and `most` things, each made anew. */
  several<T>(least: number, most: number, make: () => T): T[];
}

/** A linear congruence, as in POSIX's example of rand(3), with more bits. */
export function createRandom(seed: number): Random {
  let state = BigInt(seed) * 2_862_933_555_777_941_757n + 3_037_000_493n;
  const next = (): number => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & 0xffff_ffff_ffff_ffffn;
    return Number(state >> 33n) / 2 ** 31;
  };
  for (let round = 0; round < 8; round += 1) next();
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    chance: (probability) => next() < probability,
    pick: (from) => from[below(from.length)] as (typeof from)[number],
    several: (least, most, make) => Array.from({ length: least + below(most - least + 1) }, make),
  };
}
