import type { StepEvent } from "../../compose/index.ts";

type Layer = NonNullable<StepEvent["layer"]>;

/** A subject of an operation as far as its events told. Times are milliseconds since 1970. */
export interface ShownStep {
  readonly event: StepEvent;
  readonly startMs: number;
  /** Undefined while it is under way. */
  readonly endMs: number | undefined;
  readonly layers: ReadonlyMap<string, Layer>;
}

/** The subjects of an operation, in the order in which they came up. */
export interface StepList {
  readonly all: () => readonly ShownStep[];
  take(event: StepEvent, nowMs: number): void;
  /** Those that are done are shown no more. */
  forgetDone(): void;
}

export function createStepList(): StepList {
  const steps = new Map<string, ShownStep>();
  return {
    all: () => [...steps.values()],
    take(event, nowMs) {
      const before = steps.get(event.subject);
      const layers = new Map(before?.layers);
      if (event.layer !== undefined) layers.set(event.layer.digest, event.layer);
      const isUnderWay = event.isUnderWay === true;
      const startMs = before?.startMs ?? nowMs;
      // one that was done goes on from when it began: created, and then started
      const endMs = isUnderWay ? undefined : (before?.endMs ?? nowMs);
      steps.set(event.subject, { event, startMs, endMs, layers });
    },
    forgetDone() {
      for (const [subject, { endMs }] of steps) if (endMs !== undefined) steps.delete(subject);
    },
  };
}
