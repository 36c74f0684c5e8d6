import type { BuildEvent } from "../events/index.ts";
import type { StepCounts } from "./types.ts";

/** Counts steps and warnings as the events tell of them. */
export interface StepCounter {
  readonly take: (event: BuildEvent) => void;
  readonly steps: () => StepCounts;
  readonly warnings: () => number;
  /** The step that failed by itself: the last one that was not only stopped. */
  readonly failed: () => string | undefined;
}

export function createStepCounter(): StepCounter {
  const vertices = new Map<string, { completed: boolean; cached: boolean }>();
  let warnings = 0;
  let failed: string | undefined;
  return {
    take(event) {
      if (event.type === "warning") warnings += 1;
      if (event.type !== "vertex") return;
      let vertex = vertices.get(event.vertex);
      if (vertex === undefined) vertices.set(event.vertex, (vertex = { completed: false, cached: false }));
      vertex.completed ||= event.completed !== undefined;
      vertex.cached ||= event.cached === true;
      if (event.error !== undefined && event.canceled !== true) failed = event.vertex;
    },
    steps() {
      const all = [...vertices.values()];
      return {
        total: all.length,
        completed: all.filter(({ completed }) => completed).length,
        cached: all.filter(({ cached }) => cached).length,
      };
    },
    warnings: () => warnings,
    failed: () => failed,
  };
}
