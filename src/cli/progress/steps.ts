import type { BuildEvent } from "../../events/index.ts";
import { addLog, createStep, isStarted, lastLines, updateStep, type Step } from "./step.ts";

/** All steps of a build as far as the events told, in the order in which they came up. */
export interface Steps {
  readonly all: ReadonlyMap<string, Step>;
  /** Vertices with something new to show. */
  readonly changed: Set<string>;
  readonly take: (event: BuildEvent) => void;
}

export function createSteps(): Steps {
  const all = new Map<string, Step>();
  const changed = new Set<string>();
  const touch = (step: Step, time: number): void => {
    if (step.updates === 0) step.waitingSince = time;
    step.updates++;
  };
  return {
    all,
    changed,
    take(event) {
      if (event.type === "vertex") {
        let step = all.get(event.vertex);
        if (step === undefined) all.set(event.vertex, (step = createStep(event.vertex, event.name)));
        if (!updateStep(step, event)) return;
        touch(step, event.time);
        changed.add(event.vertex);
        return;
      }
      const step = event.vertex === undefined ? undefined : all.get(event.vertex);
      if (step === undefined) return;
      touch(step, event.time);
      if (event.type === "warning") {
        step.warnings.push(formatWarning(event));
        return;
      }
      changed.add(step.vertex);
      if (event.type === "log") addLog(step, event);
      else {
        step.statuses.set(event.id, event);
        step.changedStatuses.add(event.id);
      }
    },
  };
}

/** A warning in one line: `Rule: message (line 3)`. */
export function formatWarning(warning: {
  readonly rule: string;
  readonly message: string;
  readonly where?: { readonly startLine: number };
}): string {
  const line = warning.where === undefined ? "" : ` (line ${warning.where.startLine})`;
  return `${warning.rule}: ${warning.message}${line}`;
}

/** The last output of every step that failed, between rules; nothing for steps that were only stopped. */
export function formatFailures(steps: Steps): string {
  let text = "";
  for (const step of steps.all.values()) {
    if (!isStarted(step) || step.error === undefined || step.canceled) continue;
    text += ["------", ` > ${step.name}:`, ...lastLines(step), "------", ""].join("\n");
  }
  return text;
}
