import { throwIfAborted, unlessAborted } from "./signals.ts";

export interface Limiter {
  /** Runs `work` when a lane is free, first come first served. While it waits, the signal takes it out of the queue. */
  run<T>(work: () => Promise<T>, options?: { signal?: AbortSignal | undefined }): Promise<T>;
}

/** At most `lanes` works at once. */
export function limiter(lanes: number): Limiter {
  if (!Number.isInteger(lanes) || lanes < 1) throw new TypeError(`a limiter needs at least one lane, not ${lanes}`);
  let free = lanes;
  const queue: (() => void)[] = [];
  const release = (): void => {
    const next = queue.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const enter = async (signal: AbortSignal | undefined): Promise<void> => {
    throwIfAborted(signal);
    if (free > 0) {
      free -= 1;
      return;
    }
    let admit = (): void => undefined;
    const admitted = new Promise<void>((resolve) => void (admit = resolve));
    queue.push(admit);
    try {
      await unlessAborted(admitted, { signal });
    } catch (error) {
      const place = queue.indexOf(admit);
      // Not in the queue any more: the lane was handed over in the same moment, and goes on to the next.
      if (place < 0) release();
      else queue.splice(place, 1);
      throw error;
    }
  };
  return {
    async run(work, options = {}) {
      await enter(options.signal);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
