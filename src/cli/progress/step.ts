import { StringDecoder } from "node:string_decoder";
import type { LogEvent, StatusEvent, StepReason, VertexEvent } from "../../events/index.ts";
import { reasonLine } from "../../explain/index.ts";

/** How many of a step's last lines are kept to repeat them when it fails. BuildKit's `logsBufferSize`. */
const recentLines = 10;

/** What the events said about one vertex so far. */
export interface Step {
  readonly vertex: string;
  name: string;
  /** Number in the output, given when it is first shown; 0 before. */
  index: number;
  /** Start → end, in milliseconds since 1970; a step may run more than once. */
  readonly intervals: Map<number, number | undefined>;
  cached: boolean;
  error: string | undefined;
  canceled: boolean;
  /** Why it runs, in one line; absent where that says nothing: everything runs in a first build. */
  reason: string | undefined;
  readonly statuses: Map<string, StatusEvent>;
  readonly changedStatuses: Set<string>;
  /** Warnings not shown yet. */
  readonly warnings: string[];
  readonly log: LogLines;
  /** Updates since the step was last switched away from, and when the first of them came: who may speak next. */
  updates: number;
  waitingSince: number | undefined;
}

/** Lines of output with the seconds since the step's start before each. */
interface LogLines {
  /** Lines not shown yet; the last one is open when `open`. */
  unshown: string[];
  open: boolean;
  /** How much of the open line has been shown. */
  shownOfOpen: number;
  /** The last lines, for the report of a failure. */
  recent: string[];
  readonly decoders: Map<number, StringDecoder>;
}

export function createStep(vertex: string, name: string): Step {
  return {
    vertex,
    name,
    index: 0,
    intervals: new Map(),
    cached: false,
    error: undefined,
    canceled: false,
    reason: undefined,
    statuses: new Map(),
    changedStatuses: new Set(),
    warnings: [],
    log: { unshown: [], open: false, shownOfOpen: 0, recent: [], decoders: new Map() },
    updates: 0,
    waitingSince: undefined,
  };
}

/** Takes what a vertex event says; true when something to show changed. */
export function updateStep(step: Step, event: VertexEvent): boolean {
  step.name = event.name;
  if (event.started === undefined) {
    if (event.error !== undefined) step.error = event.error;
    return false;
  }
  const known = step.intervals.has(event.started);
  const changed =
    !known ||
    (event.completed !== undefined && step.intervals.get(event.started) !== event.completed) ||
    (event.cached ?? false) !== step.cached ||
    event.error !== step.error;
  step.intervals.set(event.started, event.completed ?? step.intervals.get(event.started));
  step.cached = event.cached ?? step.cached;
  step.error = event.error ?? step.error;
  step.canceled = event.canceled ?? step.canceled;
  if (event.reason !== undefined && event.cached !== true)
    step.reason = tellsMore(event.reason) ? reasonLine(event.reason) : undefined;
  return changed;
}

/** In a first build and with `--no-cache` every step would say the same. */
function tellsMore(reason: StepReason): boolean {
  return reason.kind !== "first-time" && !(reason.kind === "no-cache" && reason.stage === undefined);
}

export function isStarted(step: Step): boolean {
  return step.intervals.size > 0;
}

/** Whether it has ended and was not started again. */
export function isCompleted(step: Step): boolean {
  return isStarted(step) && [...step.intervals.values()].every((end) => end !== undefined);
}

/** When it last ended. */
export function completedAt(step: Step): number {
  return Math.max(0, ...[...step.intervals.values()].map((end) => end ?? 0));
}

/** How long it ran, overlapping runs counted once, in milliseconds; a run that has not ended counts until `nowMs`. */
export function durationOf(step: Step, nowMs = 0): number {
  let total = 0;
  let reached = 0;
  for (const [start, end = Math.max(start, nowMs)] of [...step.intervals].toSorted(([left], [right]) => left - right)) {
    total += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return total;
}

/** Adds a command's output: each line gets the seconds since the start, with three digits below 10 s, two below 100 s. */
export function addLog(step: Step, event: LogEvent): void {
  const { log } = step;
  let decoder = log.decoders.get(event.stream);
  if (decoder === undefined) log.decoders.set(event.stream, (decoder = new StringDecoder("utf8")));
  const text = decoder.write(Buffer.from(event.data.buffer, event.data.byteOffset, event.data.byteLength));
  if (text === "") return;
  const seconds = Math.max(0, (event.time - Math.max(...step.intervals.keys(), 0)) / 1000);
  const stamp = isStarted(step) ? seconds.toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 1) : "0.000";
  const lines = text.split("\n");
  const open = lines.at(-1) !== "";
  if (!open) lines.pop();
  for (const [index, line] of lines.entries()) {
    const last = log.unshown.length - 1;
    if (index === 0 && log.open && last >= 0) log.unshown[last] += line;
    else log.unshown.push(`${stamp} ${line}`);
  }
  log.open = open;
}

/** The lines to show now, as text; an open last line stays, to be continued. */
export function takeLog(step: Step): string {
  const { log } = step;
  if (log.unshown.length === 0) return "";
  let text = "";
  for (const [index, line] of log.unshown.entries()) {
    const last = index === log.unshown.length - 1;
    text += index === 0 && log.shownOfOpen > 0 ? line.slice(log.shownOfOpen) : `#${step.index} ${line}`;
    if (!last || !log.open) text += "\n";
  }
  const complete = log.open ? log.unshown.slice(0, -1) : log.unshown;
  log.recent = [...log.recent, ...complete].slice(-recentLines);
  const rest = log.open ? (log.unshown.at(-1) ?? "") : "";
  log.unshown = log.open ? [rest] : [];
  log.shownOfOpen = rest.length;
  return text;
}

/** The end of a line that was shown in part; what follows begins a new line. */
export function breakLine(step: Step): string {
  if (step.log.shownOfOpen === 0) return "";
  step.log.shownOfOpen = 0;
  return "\n";
}

/** The last lines of a step's output, the open one as well. */
export function lastLines(step: Step): readonly string[] {
  return [...step.log.recent, ...step.log.unshown].slice(-recentLines);
}
