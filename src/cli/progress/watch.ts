import type { BuildEvent, EventSink } from "../../events/index.ts";
import type { Io } from "../io.ts";
import type { Progress } from "./progress.ts";

/** How long nothing happens before waiting output is shown. */
const tickMs = 150;

/** Shows the events that `work` reports until it settles; resolves or rejects as it does. */
export async function watch<T>(progress: Progress, io: Pick<Io, "now">, work: (onEvent: EventSink) => Promise<T>): Promise<T> {
  const timer = setInterval(() => progress.tick(io.now()), tickMs);
  try {
    return await work((event) => progress.take(event));
  } finally {
    clearInterval(timer);
    progress.end(io.now());
  }
}

/** Passes on every event of a run, and resolves or rejects as the run does. */
export async function follow<T>(run: Promise<T> & AsyncIterable<BuildEvent>, onEvent: EventSink): Promise<T> {
  const settled = Promise.allSettled([run]);
  for await (const event of run) onEvent(event);
  const [outcome] = await settled;
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}
