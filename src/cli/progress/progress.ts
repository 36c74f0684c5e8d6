import type { BuildEvent } from "../../events/index.ts";

/** A reader of a build's events that shows them. */
export interface Progress {
  readonly take: (event: BuildEvent) => void;
  /** Time has passed without an event: what waits may be shown. `nowMs` since 1970. */
  readonly tick: (nowMs: number) => void;
  /** No more events: shows what is left and what failed. */
  readonly end: (nowMs: number) => void;
}
