import { formatTransferSize } from "../format/sizes.ts";
import type { Progress } from "./progress.ts";
import { breakLine, completedAt, durationOf, isCompleted, isStarted, takeLog, type Step } from "./step.ts";
import { createSteps, formatFailures } from "./steps.ts";
import { chooseStep } from "./turns.ts";

/** Events within this time are shown together. */
const batchMs = 100;
/** An unfinished transfer is shown again after this share of it, or after this time. */
const minProgress = 0.05;
const minStatusGapMs = 5000;

export interface PlainOptions {
  readonly write: (text: string) => void;
  /** Said before everything else, as `#0 …`. */
  readonly description?: string;
  /** Cut names of steps to 72 characters (PROGRESS_NO_TRUNC=0). */
  readonly truncateNames?: boolean;
}

/**
 * BuildKit's plain progress (U03): every step has a number and every line begins with it; one step speaks at a time, and
 * others wait until it is done or has been silent in relation to them. The clock is the events' own.
 */
export function createPlainProgress(options: PlainOptions): Progress {
  const steps = createSteps();
  /** Steps whose reason was told. */
  const told = new Set<string>();
  /** Last shown state of each status, by vertex and ID. */
  const shown = new Map<string, { readonly current: number; readonly time: number }>();
  /** Completed steps that were shown with something of theirs still open: the outcome is owed. */
  const unclosed = new Set<string>();
  let current: string | undefined;
  let indices = 0;
  let first = true;
  let pendingSince: number | undefined;

  function header(step: Step): string {
    if (step.index === 0) step.index = ++indices;
    if (step.vertex === current) return "";
    let text = "";
    const old = current === undefined ? undefined : steps.all.get(current);
    if (old !== undefined) {
      text += `${breakLine(old)}#${old.index} ...\n`;
      old.updates = 0;
    }
    if (!first) text += "\n";
    else if (options.description !== undefined) text += `#0 ${options.description}\n\n`;
    first = false;
    const name = options.truncateNames === true && step.name.length > 72 ? `${step.name.slice(0, 72)}...` : step.name;
    return `${text}#${step.index} ${name}\n`;
  }

  function statusLines(step: Step): { readonly text: string; readonly open: boolean } {
    let text = "";
    let open = false;
    for (const id of step.changedStatuses) {
      const status = step.statuses.get(id);
      if (status === undefined || status.started === undefined) continue;
      const last = shown.get(`${step.vertex} ${id}`);
      const done = status.completed !== undefined;
      if (last !== undefined && !done) {
        const share = status.total > 0 ? (status.current - last.current) / status.total : 0;
        if (share < minProgress && status.time - last.time < minStatusGapMs) continue;
      }
      shown.set(`${step.vertex} ${id}`, { current: status.current, time: status.time });
      open ||= !done;
      let line = `#${step.index} ${status.name}`;
      if (status.total !== 0) line += ` ${formatTransferSize(status.current)} / ${formatTransferSize(status.total)}`;
      else if (status.current !== 0) line += ` ${formatTransferSize(status.current)}`;
      const seconds = ((status.completed ?? status.time) - status.started) / 1000;
      if (seconds > 0.01) line += ` ${seconds.toFixed(1)}s`;
      text += `${line}${done ? " done" : ""}\n`;
    }
    step.changedStatuses.clear();
    return { text, open };
  }

  function show(vertex: string, last = false): void {
    const step = steps.all.get(vertex);
    if (step === undefined) return;
    let text = header(step);
    if (step.reason !== undefined && !told.has(vertex)) {
      told.add(vertex);
      text += `#${step.index} because ${step.reason}\n`;
    }
    const { text: statuses, open } = statusLines(step);
    const warnings = step.warnings
      .splice(0)
      .map((line) => `#${step.index} WARN: ${line}\n`)
      .join("");
    if (statuses !== "" || warnings !== "") text += breakLine(step) + statuses + warnings;
    text += takeLog(step);
    current = vertex;
    if (isCompleted(step) && open && !last) unclosed.add(vertex);
    else if (isCompleted(step)) {
      unclosed.delete(vertex);
      current = undefined;
      step.updates = 0;
      text += breakLine(step) + `#${step.index} ${outcome(step)}\n`;
    }
    steps.changed.delete(vertex);
    if (text !== "") options.write(text);
  }

  function flush(nowMs: number, last = false): void {
    pendingSince = undefined;
    const completed: Step[] = [];
    const running: Step[] = [];
    for (const vertex of steps.changed) {
      const step = steps.all.get(vertex);
      if (step !== undefined) (isCompleted(step) ? completed : running).push(step);
    }
    const before = current;
    const currentDone = completed.find(({ vertex }) => vertex === before);
    if (currentDone !== undefined) show(currentDone.vertex, last);
    for (const step of completed.toSorted((left, right) => completedAt(left) - completedAt(right))) {
      if (step.vertex !== before) show(step.vertex, last);
    }
    const speaker = before === undefined ? undefined : steps.all.get(before);
    if (running.length === 0) {
      if (speaker !== undefined && isStarted(speaker) && !isCompleted(speaker)) return;
      const open = last ? undefined : [...steps.all.values()].find((step) => isStarted(step) && !isCompleted(step));
      if (open !== undefined) show(open.vertex);
      return;
    }
    if (speaker !== undefined && running.includes(speaker)) show(speaker.vertex);
    const next = chooseStep({ running, speaker: currentDone === undefined ? speaker : undefined, nowMs });
    if (next !== undefined) show(next.vertex);
  }

  return {
    take(event) {
      pendingSince ??= event.time;
      steps.take(event);
      if (event.time - pendingSince >= batchMs) flush(event.time);
    },
    tick: flush,
    end(nowMs) {
      flush(nowMs, true);
      for (const vertex of new Set([...steps.changed, ...unclosed])) show(vertex, true);
      const failures = formatFailures(steps);
      if (failures !== "") options.write(failures);
    },
  };
}

/** The last line of a step. */
function outcome(step: Step): string {
  if (step.canceled) return "CANCELED";
  if (step.error !== undefined) return `ERROR: ${step.error}`;
  if (step.cached) return "CACHED";
  return `DONE ${(durationOf(step) / 1000).toFixed(1)}s`;
}
