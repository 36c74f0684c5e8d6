import { setTimeout as sleep } from "node:timers/promises";
import type { State } from "../state/index.ts";
import type { ContainerRow } from "./container-store.ts";
import type { ContainerEvent, EventsOptions } from "./types.ts";

/** So many of the last events are kept; of those before, nothing is known. */
const keptEvents = 1024;
/** How often is looked for new ones. */
const pollMs = 100;
/** How often is looked for ends that nobody recorded. */
const sweepMs = 1000;

export const eventsSchema = `
CREATE TABLE IF NOT EXISTS container_events (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  time REAL NOT NULL,      -- milliseconds since 1970
  container TEXT NOT NULL, -- ID
  action TEXT NOT NULL,
  attributes TEXT NOT NULL -- JSON: object of strings
);
`;

/** What happened to containers: a row for each event, written by whichever process did it. */
export interface EventLog {
  /** Writes an event down, with the container's labels, image and name beside its own attributes. */
  tell(
    row: Pick<ContainerRow, "id" | "name" | "config">,
    action: string,
    event?: { readonly attributes?: Readonly<Record<string, string>>; readonly timeMs?: number },
  ): void;
  /** Events in the order in which they were written down; without `sinceMs` those from now on. */
  read(options: EventsOptions & { readonly sweep: () => Promise<void> }): AsyncIterable<ContainerEvent>;
}

interface Row {
  readonly number: number;
  readonly time: number;
  readonly container: string;
  readonly action: string;
  readonly attributes: string;
}

export function openEventLog({ state }: { readonly state: State }): EventLog {
  const lastNumber = (): number =>
    state.get<{ last: number | null }>("SELECT max(number) AS last FROM container_events")?.last ?? 0;
  return {
    tell({ id, name, config }, action, { attributes = {}, timeMs = Date.now() } = {}) {
      const all = { ...config.labels, ...attributes, image: config.image, name };
      const { lastId } = state.run(
        "INSERT INTO container_events (time, container, action, attributes) VALUES (?, ?, ?, ?)",
        timeMs,
        id,
        action,
        JSON.stringify(all),
      );
      state.run("DELETE FROM container_events WHERE number <= ?", lastId - keptEvents);
    },
    async *read({ sinceMs, untilMs = Infinity, signal, sweep }) {
      let seen = sinceMs === undefined ? lastNumber() : 0;
      let sweptMs = 0;
      for (;;) {
        const isLast = Date.now() >= untilMs || signal?.aborted === true;
        if (Date.now() - sweptMs >= sweepMs) {
          await sweep();
          sweptMs = Date.now();
        }
        for (const row of state.all<Row>("SELECT * FROM container_events WHERE number > ? ORDER BY number", seen)) {
          seen = row.number;
          if (row.time >= (sinceMs ?? 0) && row.time <= untilMs) yield fromRow(row);
        }
        if (isLast) return;
        const waitMs = Math.min(pollMs, Math.max(0, untilMs - Date.now()));
        // an abort ends the wait, and then the loop
        await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
      }
    },
  };
}

function fromRow({ time, container, action, attributes }: Row): ContainerEvent {
  return { timeMs: time, id: container, action, attributes: JSON.parse(attributes) as Record<string, string> };
}
