import { formatTransferSize } from "../format/sizes.ts";
import { fitBlocks, type Block } from "./fit-blocks.ts";
import { durationOf, isCompleted, isStarted, type Step } from "./step.ts";
import type { Steps } from "./steps.ts";
import { align, cutToWidth, displayWidth, type LogTail } from "./terminal-text.ts";

/** A line of the screen, cut to the terminal, and what it tells by its colour. */
export interface FrameLine {
  readonly text: string;
  readonly style?: "run" | "cancel" | "error" | "warning" | "faint";
}

export interface FrameOptions {
  readonly steps: Steps;
  /** Output of running commands, by vertex. */
  readonly tails: ReadonlyMap<string, LogTail>;
  readonly startMs: number;
  readonly nowMs: number;
  readonly columns: number;
  /** How many lines may be shown; undefined for the last frame, which holds every step and no output. */
  readonly rows?: number;
  /** Who builds, at the right end of the first line. */
  readonly description: string;
  /** At most so many lines of each command's output. */
  readonly logLines: number;
}

interface StepBlock extends Block<FrameLine> {
  readonly step: Step;
}

/** Columns left free at the right end of a command's output. BuildKit's `termPad`. */
const logPad = 10;

/**
 * What the terminal shows at one moment (U02): a line for each step that began, below it why it runs, its transfers, and the
 * last lines of a running command. When the screen is too low, steps that are done leave first, the oldest before others.
 */
export function drawFrame(options: FrameOptions): readonly FrameLine[] {
  const { steps, columns, rows, nowMs } = options;
  const blocks = [...steps.all.values()]
    .filter(isStarted)
    .map((step): StepBlock => ({ step, lines: stepLines(step, nowMs, columns), isDone: isCompleted(step) }));
  const header = headerLine(options);
  if (rows === undefined) return [header, ...blocks.flatMap(({ lines }) => lines)];
  const room = Math.max(1, rows - 1);
  const shown = fitBlocks(blocks, room);
  let free = room - shown.reduce((sum, { lines }) => sum + lines.length, 0);
  const lines: FrameLine[] = [header];
  for (const { step, lines: own } of shown) {
    lines.push(...own);
    const tail = isCompleted(step) ? undefined : options.tails.get(step.vertex);
    for (const line of tail?.last(Math.min(options.logLines, free)) ?? []) {
      lines.push({ text: cutToWidth(` => => # ${line}`, Math.max(12, columns - logPad)), style: "faint" });
      free--;
    }
  }
  return lines;
}

function headerLine({ steps, startMs, nowMs, columns, rows, description }: FrameOptions): FrameLine {
  const all = [...steps.all.values()];
  const completed = all.filter(isCompleted).length;
  const finished = rows === undefined && completed === all.length && completed > 0 ? " FINISHED" : "";
  const text = `[+] Building ${((nowMs - startMs) / 1000).toFixed(1)}s (${completed}/${all.length})${finished}`;
  const wide = columns - 1 > displayWidth(text) + displayWidth(description);
  return { text: cutToWidth(wide ? align(text, description, columns - 1) : text, columns) };
}

function stepLines(step: Step, nowMs: number, columns: number): readonly FrameLine[] {
  const done = isCompleted(step);
  const style = !done ? undefined : step.canceled ? "cancel" : step.error !== undefined ? "error" : "run";
  const mark = !done ? "" : step.canceled ? "CANCELED " : step.error !== undefined ? "ERROR " : step.cached ? "CACHED " : "";
  const lines: FrameLine[] = [row(`${mark}${step.name}`, "", durationOf(step, nowMs), columns, " => ", style)];
  if (step.reason !== undefined) {
    lines.push({ text: cutToWidth(` => => because ${step.reason}`, columns - 1), style: "faint" });
  }
  for (const status of step.statuses.values()) {
    if (status.started === undefined) continue;
    const ended = status.completed ?? (done ? status.time : undefined);
    const share = status.total > 0 && ended === undefined ? ` ${Math.floor((status.current / status.total) * 100)}%` : "";
    const amount =
      status.total !== 0
        ? `${formatTransferSize(status.current)} / ${formatTransferSize(status.total)}${share}`
        : status.current !== 0
          ? formatTransferSize(status.current)
          : "";
    const spentMs = (ended ?? nowMs) - status.started;
    lines.push(row(status.name, amount, spentMs, columns, " => => ", ended === undefined ? undefined : "run"));
  }
  return lines;
}

/** A line with its time at the right end. The name is cut first; the amount leaves when hardly a name would be left. */
function row(
  name: string,
  amount: string,
  spentMs: number,
  columns: number,
  prefix: string,
  style: FrameLine["style"],
): FrameLine {
  const timer = ` ${(spentMs < 50 ? 0 : spentMs / 1000).toFixed(1)}s`;
  let left = columns - prefix.length - timer.length - 1;
  const showAmount = amount !== "" && left - amount.length > 20;
  if (showAmount) left -= amount.length + 1;
  const body = prefix + cutToWidth(name, Math.max(12, left)) + (showAmount ? ` ${amount}` : "");
  const text = cutToWidth(align(body, timer, columns - 1), columns);
  return style === undefined ? { text } : { text, style };
}
