import { sleep, throwIfAborted } from "./signals.ts";

export interface RetryOptions {
  readonly signal?: AbortSignal | undefined;
  /** How often to try in all, at least 1. */
  readonly attempts: number;
  /** Whether trying again may help. */
  readonly shouldRetry: (error: unknown) => boolean;
  /** The first pause's upper bound; it doubles with each try. The pause is chosen at random between half of it and all of it. */
  readonly delayMs: number;
  /** No pause is longer than this, also none that {@link RetryOptions.pauseMs} asks for. */
  readonly maxDelayMs: number;
  /** A pause that the error itself asks for (`Retry-After`). */
  readonly pauseMs?: (error: unknown) => number | undefined;
  /** Told before each pause. */
  readonly onRetry?: (error: unknown, failedAttempts: number) => void;
}

/** Calls `work` until it succeeds, `shouldRetry` says no, or the attempts are used up; then throws its last error. */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, attempts, shouldRetry, delayMs, maxDelayMs, pauseMs, onRetry } = options;
  for (let attempt = 1; ; attempt += 1) {
    throwIfAborted(signal);
    try {
      return await work(attempt);
    } catch (error) {
      throwIfAborted(signal);
      if (attempt >= attempts || !shouldRetry(error)) throw error;
      onRetry?.(error, attempt);
      const bound = Math.min(delayMs * 2 ** (attempt - 1), maxDelayMs);
      await sleep(Math.min(pauseMs?.(error) ?? bound * (0.5 + Math.random() / 2), maxDelayMs), {
        signal,
      });
    }
  }
}
