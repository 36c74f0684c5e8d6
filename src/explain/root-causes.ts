import type { RootCause, StepReason } from "../events/index.ts";
import { reasonLine } from "./reason-line.ts";

/** A step that ran, with its reason. */
export interface ExplainedStep {
  readonly vertex: string;
  readonly name: string;
  readonly reason: StepReason;
}

/** Where the work of a build began: each cause once, in the order of the steps. */
export function rootCauses(steps: readonly ExplainedStep[]): RootCause[] {
  const found = new Map<string, RootCause>();
  for (const { vertex, name, reason } of steps) {
    const roots =
      reason.kind === "parent-ran"
        ? reason.roots
        : reason.kind === "files-changed" && reason.roots
          ? reason.roots
          : [{ vertex, name, reason }];
    for (const root of roots) if (!found.has(root.vertex)) found.set(root.vertex, root);
  }
  return [...found.values()];
}

/** The root causes as lines: one for each cause, save that steps with equal lines share one (`12 steps: first time seen`). */
export function rootCauseLines(causes: readonly RootCause[]): string[] {
  const byLine = new Map<string, string[]>();
  for (const { name, reason } of causes) {
    const line = reasonLine(reason);
    const names = byLine.get(line);
    if (names) names.push(name);
    else byLine.set(line, [name]);
  }
  return [...byLine].map(([line, [name = "", ...more]]) =>
    more.length === 0 ? `${name}: ${line}` : `${more.length + 1} steps: ${line}`,
  );
}
