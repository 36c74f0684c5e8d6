import { VarveError } from "../errors/index.ts";

/**
 * What to throw for an aborted signal: its reason. The platform's own reasons, which say nothing, become `CANCELED` and
 * `TIMED_OUT`.
 */
export function reasonOf(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason;
  if (!(reason instanceof DOMException)) return reason;
  if (reason.name === "TimeoutError") return new VarveError("TIMED_OUT", "the work took too long", { cause: reason });
  return new VarveError("CANCELED", "the work was canceled", { cause: reason });
}

/** Throws {@link reasonOf} a signal that is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw reasonOf(signal);
}

/**
 * A signal that aborts as soon as one of those given does, with its reason; undefined entries are skipped. Where several
 * have aborted before anyone looked, the reason may be that of any of them (Node reads it late).
 */
export function joinSignals(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length === 1 && given[0] !== undefined ? given[0] : AbortSignal.any(given);
}

/** A promise's outcome, or the signal's reason if that comes first. The promise itself goes on; its later failure is dropped. */
export async function unlessAborted<T>(work: Promise<T>, options: { signal: AbortSignal | undefined }): Promise<T> {
  const { signal } = options;
  if (signal === undefined) return await work;
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(reasonOf(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Waits; rejects with the signal's reason as soon as it aborts. */
export async function sleep(durationMs: number, options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
  const { signal } = options;
  throwIfAborted(signal);
  let timer: NodeJS.Timeout | undefined;
  try {
    await unlessAborted(new Promise<void>((resolve) => void (timer = setTimeout(resolve, durationMs))), { signal });
  } finally {
    clearTimeout(timer);
  }
}

/** A signal that aborts by itself after a while. */
export interface Deadline {
  /** Aborts with the outer signal's reason, or with `TIMED_OUT`. */
  readonly signal: AbortSignal;
  /** Starts the wait again, after progress was seen; optionally with another length and name. No effect once aborted or ended. */
  restart(durationMs?: number, what?: string): void;
  /** Stops the clock. Always call it: a running clock keeps the process alive. */
  end(): void;
}

/** A signal with a deadline. `what` completes the message "… took longer than N s". */
export function withDeadline(signal: AbortSignal | undefined, durationMs: number, options: { what?: string } = {}): Deadline {
  const own = new AbortController();
  let what = options.what ?? "the work";
  let lastMs = durationMs;
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => own.abort(new VarveError("TIMED_OUT", `${what} took longer than ${lastMs / 1000} s`)), lastMs);
  };
  let ended = false;
  const end = (): void => {
    ended = true;
    clearTimeout(timer);
  };
  start();
  const joined = joinSignals(signal, own.signal);
  return {
    signal: joined,
    restart(nextMs = lastMs, nextWhat = what) {
      lastMs = nextMs;
      what = nextWhat;
      if (!ended && !joined.aborted) start();
    },
    end,
  };
}
