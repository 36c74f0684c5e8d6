import { VarveError } from "../errors/index.ts";
import { reasonOf, throwIfAborted } from "./signals.ts";

export interface SingleFlight<K, V> {
  /**
   * The outcome of `work` for a key. Who asks while one is under way gets that one's outcome, success or failure;
   * nothing is remembered afterwards. `work` is handed a signal of its own, which aborts when everyone who asked has given up.
   */
  run(key: K, work: (signal: AbortSignal) => Promise<V>, options?: { signal?: AbortSignal | undefined }): Promise<V>;
  /** How many flights are under way. */
  readonly size: number;
}

interface Flight<V> {
  readonly outcome: Promise<V>;
  readonly controller: AbortController;
  waiting: number;
}

/** One key, one flight. A waiter that gives up leaves at once; the last one ends the flight, and leaves when it has ended. */
export function singleFlight<K, V>(): SingleFlight<K, V> {
  const flights = new Map<K, Flight<V>>();
  const ending = new Map<K, Promise<unknown>>();

  const take = (key: K, work: (signal: AbortSignal) => Promise<V>): Flight<V> => {
    const controller = new AbortController();
    const before = ending.get(key);
    const fly = async (): Promise<V> => {
      await before;
      throwIfAborted(controller.signal);
      return await work(controller.signal);
    };
    const flight: Flight<V> = { outcome: fly(), controller, waiting: 0 };
    const forget = (): void => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    flight.outcome.then(forget, forget);
    flights.set(key, flight);
    return flight;
  };

  const giveUp = async (key: K, flight: Flight<V>, signal: AbortSignal): Promise<void> => {
    flight.waiting -= 1;
    if (flight.waiting > 0) return;
    if (flights.get(key) === flight) flights.delete(key);
    flight.controller.abort(
      new VarveError("CANCELED", "nobody waits for the result any more", {
        cause: reasonOf(signal),
      }),
    );
    const settled = flight.outcome.then(ignoreOutcome, ignoreOutcome);
    ending.set(key, settled);
    await settled;
    if (ending.get(key) === settled) ending.delete(key);
  };

  return {
    get size() {
      return flights.size;
    },
    async run(key, work, options = {}) {
      const { signal } = options;
      throwIfAborted(signal);
      const flight = flights.get(key) ?? take(key, work);
      flight.waiting += 1;
      if (signal === undefined) return await flight.outcome;
      return await new Promise<V>((resolve, reject) => {
        const onAbort = (): void => {
          void giveUp(key, flight, signal).then(() => reject(reasonOf(signal)));
        };
        signal.addEventListener("abort", onAbort, { once: true });
        flight.outcome.then(resolve, (error: unknown) => {
          if (!signal.aborted) reject(error);
        });
        const unhook = (): void => signal.removeEventListener("abort", onAbort);
        flight.outcome.then(unhook, unhook);
      });
    },
  };
}

/** Who was waiting has been answered already. */
function ignoreOutcome(): void {}
