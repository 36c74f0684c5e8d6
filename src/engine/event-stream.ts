import type { BuildEvent, EventSink } from "../events/index.ts";

/** Collects events until they are read; any number of readers each sees all of them, in order. */
export interface EventStream extends AsyncIterable<BuildEvent> {
  readonly emit: EventSink;
  /** No more events come. Readers end after the last one. */
  readonly end: () => void;
}

export function createEventStream(): EventStream {
  const events: BuildEvent[] = [];
  let ended = false;
  let wake: () => void = () => undefined;
  let more = new Promise<void>((resolve) => (wake = resolve));
  const notify = () => {
    wake();
    more = new Promise<void>((resolve) => (wake = resolve));
  };
  return {
    emit(event) {
      events.push(event);
      notify();
    },
    end() {
      ended = true;
      notify();
    },
    async *[Symbol.asyncIterator]() {
      for (let index = 0; ; index += 1) {
        while (index >= events.length) {
          if (ended) return;
          await more;
        }
        yield events[index] as BuildEvent;
      }
    },
  };
}
