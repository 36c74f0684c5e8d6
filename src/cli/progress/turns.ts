import type { Step } from "./step.ts";

/** The speaking step keeps its turn for about this long against one other of the same speed. */
const antiFlickerMs = 5000;
/** No step with something to say waits longer than this. */
const maxDelayMs = 10_000;

export interface TurnOptions {
  /** Running steps with something new. */
  readonly running: readonly Step[];
  /** The step whose lines came last and which goes on; undefined when it ended or nobody spoke. */
  readonly speaker: Step | undefined;
  readonly nowMs: number;
}

/**
 * Whose turn it is to speak, or undefined to leave it where it is. The busiest step has it; a speaker gives way when its
 * share of all updates no longer pays for its time, and to any step that has waited too long. (BuildKit, printer.go)
 */
export function chooseStep({ running, speaker, nowMs }: TurnOptions): Step | undefined {
  const candidates = new Set(speaker === undefined ? running : [...running, speaker]);
  let total = 0;
  let busiest: { readonly step: Step; readonly speed: number } | undefined;
  let overdue: Step | undefined;
  let own: { readonly speed: number; readonly turnMs: number } | undefined;
  for (const step of candidates) {
    if (step.waitingSince === undefined) continue;
    const waitedMs = Math.max(1, nowMs - step.waitingSince);
    const speed = step.updates / waitedMs;
    total += speed;
    if (step === speaker) own = { speed, turnMs: waitedMs };
    else if (waitedMs > maxDelayMs) overdue ??= step;
    if (busiest === undefined || speed > busiest.speed) busiest = { step, speed };
  }
  if (speaker === undefined) return overdue ?? busiest?.step;
  if (overdue !== undefined) return overdue;
  if (own === undefined || busiest === undefined || busiest.step === speaker) return undefined;
  const share = own.speed / total;
  return antiFlickerMs / (1 - share) < own.turnMs ? busiest.step : undefined;
}
