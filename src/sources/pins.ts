/**
 * What names stood for when a build first asked: a branch that moves, or a file that changes, while the build runs is the
 * same for all its steps. One for each build.
 */
export interface Pins {
  /** The outcome of the first `work` for a key; a failure is forgotten. */
  once<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createPins(): Pins {
  const known = new Map<string, Promise<unknown>>();
  return {
    async once<T>(key: string, work: () => Promise<T>): Promise<T> {
      const before = known.get(key);
      if (before !== undefined) return (await before) as T;
      const outcome = work();
      known.set(key, outcome);
      outcome.catch(() => known.delete(key));
      return await outcome;
    },
  };
}
