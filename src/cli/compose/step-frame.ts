import { formatSize } from "../format/sizes.ts";
import { fitBlocks } from "../progress/fit-blocks.ts";
import type { ScreenLine } from "../progress/redraw.ts";
import { cutToWidth, displayWidth } from "../progress/terminal-text.ts";
import { describeLayer } from "../progress/transfers.ts";
import type { ShownStep } from "./step-list.ts";

export interface StepFrameOptions {
  readonly steps: readonly ShownStep[];
  /** What is being done: `Running`, `Stopping` … */
  readonly title: string;
  readonly nowMs: number;
  readonly columns: number;
  /** How many lines may be shown; undefined for the last frame, which has them all. */
  readonly rows?: number;
  readonly colors: boolean;
}

/** A piece of a line in one colour, as SGR parameters. */
interface Span {
  readonly text: string;
  readonly color?: string;
}

const blue = "34";
const green = "32";
const yellow = "33";
const boldYellow = "1;33";
const boldRed = "1;31";

const spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
/** How long each sign of the spinner stands. */
const spinMs = 100;
/** A layer's share, from nothing to all of it. */
const shares = "⠀⡀⣀⣄⣤⣦⣶⣷⣿";
/** In columns. */
const layerBarWidth = 24;
/** Of a name at least so much is shown. */
const minName = 12;
/** So much of a state has its place beside the name and the time; only errors have more to say. */
const stateWidth = 16;

/** What the terminal shows of an operation at one moment: how many are done, and a line for each subject, with its state and its time. */
export function drawStepFrame(options: StepFrameOptions): readonly ScreenLine[] {
  const { steps, title, rows } = options;
  const done = steps.filter(({ endMs }) => endMs !== undefined).length;
  const header: Span = { text: `[+] ${title} ${done}/${steps.length}`, ...(done === steps.length ? { color: blue } : {}) };
  const nameWidth = Math.max(0, ...steps.map(({ event }) => displayWidth(nameOf(event))));
  const blocks = steps.map((step) => ({
    isDone: step.endMs !== undefined,
    lines: [stepLine(step, nameWidth, options), ...layerLines(step, options)],
  }));
  const shown = rows === undefined ? blocks : fitBlocks(blocks, Math.max(1, rows - 1));
  return [paintLine([header], options), ...shown.flatMap(({ lines }) => lines)];
}

function nameOf({ subject, text = "" }: ShownStep["event"]): string {
  return `${subject} ${text}`;
}

function stepLine(step: ShownStep, nameWidth: number, options: StepFrameOptions): ScreenLine {
  const { event, startMs, endMs } = step;
  const dryRun: readonly Span[] = event.isDryRun === true ? [{ text: "DRY-RUN MODE - ", color: "36" }] : [];
  const left = [{ text: " " }, markOf(step, options.nowMs), { text: " " }, ...dryRun];
  const total = transferOf(step);
  const status: Span = { text: oneLine(event.status), ...colorOf(event) };
  const timer = `${(((endMs ?? options.nowMs) - startMs) / 1000).toFixed(1)}s`;
  const room = options.columns - 1 - widthOf([...left, ...total]);
  const wanted = Math.max(nameWidth, displayWidth(nameOf(event)));
  // where it is narrow the time leaves first, and then the end of the name
  const hasTimer = room - timer.length - 1 >= wanted + 1 + Math.min(stateWidth, displayWidth(status.text));
  const body = room - (hasTimer ? timer.length + 1 : 0);
  const nameRoom = Math.max(Math.min(wanted, minName), Math.min(wanted, body - 1 - displayWidth(status.text)));
  const name = cutToWidth(nameOf(event), nameRoom);
  const shownStatus = cutToWidth(status.text, body - 1 - nameRoom);
  const used = nameRoom + 1 + displayWidth(shownStatus);
  return paintLine(
    [
      ...left,
      { text: name.padEnd(name.length + nameRoom - displayWidth(name)) },
      ...total,
      { text: " " },
      { ...status, text: shownStatus },
      ...(hasTimer ? [{ text: " ".repeat(Math.max(1, body + 1 - used)) }, { text: timer, color: blue }] : []),
    ],
    options,
  );
}

/** `[⣿⣤⠀] 12MB / 30MB`: the layers of an image on its way, and all of them together. */
function transferOf({ layers, endMs }: ShownStep): readonly Span[] {
  if (layers.size === 0 || endMs !== undefined) return [];
  const parts = [...layers.values()];
  const share = parts.map(({ current, total }) => shares[total === 0 ? 0 : Math.floor((current / total) * (shares.length - 1))]);
  const sum = (of: (layer: (typeof parts)[number]) => number): number => parts.reduce((all, layer) => all + of(layer), 0);
  const amount = ` ${formatSize(sum(({ current }) => current))} / ${formatSize(sum(({ total }) => total))}`;
  return [{ text: " [" }, { text: share.join(""), color: green }, { text: `]${amount}` }];
}

/** The layers that move, while the image does. */
function layerLines({ layers, endMs }: ShownStep, options: StepFrameOptions): readonly ScreenLine[] {
  if (endMs !== undefined) return [];
  return [...layers.values()].map((layer) => {
    const { id, text, bar } = describeLayer(layer, { barWidth: layerBarWidth });
    const isDone = bar === undefined && layer.state !== "waiting";
    const mark = isDone ? { text: "✔", color: green } : { text: spinAt(options.nowMs), color: yellow };
    return paintLine([{ text: "   " }, mark, { text: ` ${id} ${text}${bar === undefined ? "" : ` ${bar}`}` }], options);
  });
}

function markOf({ event, startMs, endMs }: ShownStep, nowMs: number): Span {
  if (endMs === undefined) return { text: spinAt(nowMs - startMs), color: yellow };
  if (event.failed === true) return { text: "✘", color: boldRed };
  return event.isWarning === true ? { text: "!", color: boldYellow } : { text: "✔", color: green };
}

function spinAt(spentMs: number): string {
  return spinner[Math.floor(Math.max(0, spentMs) / spinMs) % spinner.length] ?? "";
}

function colorOf({ isUnderWay, failed, isWarning }: ShownStep["event"]): { readonly color?: string } {
  if (isUnderWay === true) return {};
  return { color: failed === true ? boldRed : isWarning === true ? boldYellow : green };
}

/** An error's text may have lines of its own. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

function widthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { text }) => sum + displayWidth(text), 0);
}

/** The spans as one line that is less wide than the terminal. */
function paintLine(spans: readonly Span[], { columns, colors }: Pick<StepFrameOptions, "columns" | "colors">): ScreenLine {
  let left = columns - 1;
  let plain = "";
  let painted = "";
  for (const { text, color } of spans) {
    const shown = cutToWidth(text, left);
    left -= displayWidth(shown);
    plain += shown;
    painted += !colors || color === undefined || shown === "" ? shown : `\u001b[${color}m${shown}\u001b[0m`;
  }
  return { text: plain, painted };
}
