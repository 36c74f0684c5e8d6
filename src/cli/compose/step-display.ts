import type { Report } from "../../compose/index.ts";
import { createRedraw } from "../progress/redraw.ts";
import { describeLayer } from "../progress/transfers.ts";
import type { ComposeCall } from "./open-project.ts";
import { hasStepColors, readStepMode, stepOutput } from "./progress-mode.ts";
import { drawStepFrame } from "./step-frame.ts";
import { createStepList } from "./step-list.ts";

/** Shows what an operation on a project does, as it does it. */
export interface StepDisplay {
  readonly report: Report;
  /** Prints whole lines that are not the display's own, where they do not disturb it. */
  print(text: string): void;
  /** Leaves the terminal to others (a build, a question): what is reported afterwards is shown below. */
  leave(): void;
  /** The operation has ended: shows how everything came out. */
  end(): void;
}

/** A terminal is drawn again this often. */
const frameMs = 100;

type DisplayCall = Pick<ComposeCall, "composeFlags" | "io">;

/** The display that `--progress` and its relatives ask for. `title` says what is being done on a terminal. Fails with USAGE. */
export function createStepDisplay(call: DisplayCall, title: string): StepDisplay {
  return readStepMode(call) === "tty" ? createDrawnSteps(call, title) : createPrintedSteps(call);
}

function createDrawnSteps(call: DisplayCall, title: string): StepDisplay {
  const { io } = call;
  const out = stepOutput(io);
  const size = out.size ?? (() => ({ columns: 80, rows: 24 }));
  const colors = hasStepColors(call);
  const screen = createRedraw({ write: out.print, size });
  const steps = createStepList();
  let timer: NodeJS.Timeout | undefined;
  const draw = (isLast: boolean): void => {
    const { columns, rows } = size();
    const all = steps.all();
    if (all.length === 0) return;
    screen.draw(drawStepFrame({ steps: all, title, nowMs: io.now(), columns, colors, ...(isLast ? {} : { rows: rows - 1 }) }));
  };
  const leave = (): void => {
    // without a timer nothing was reported since the last time
    if (timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
    draw(true);
    screen.leave();
    steps.forgetDone();
  };
  return {
    report(event) {
      steps.take(event, io.now());
      timer ??= setInterval(() => draw(false), frameMs);
    },
    print: (text) => screen.above(text),
    leave,
    end: leave,
  };
}

/** Each step as a line: ` Container app-web-1  Started`, or a JSON document. */
function createPrintedSteps(call: DisplayCall): StepDisplay {
  const { print } = stepOutput(call.io);
  return { report: printSteps(call, print), print: call.io.stderr.print, leave: () => undefined, end: () => undefined };
}

/** The same, for what is done while containers' logs are shown. Fails with USAGE. */
export function printSteps(call: DisplayCall, print: (text: string) => void): Report {
  const mode = readStepMode(call);
  if (mode === "quiet") return () => undefined;
  const told = new Map<string, string>();
  return ({ subject, text = "", status, layer, isDryRun = false }) => {
    const line = { id: subject, parent_id: "", text, status };
    if (layer !== undefined) {
      const described = describeLayer(layer);
      const place = `${subject} ${described.id}`;
      // on its way it is told of once
      if (told.get(place) === described.text) return;
      told.set(place, described.text);
      Object.assign(line, { id: described.id, parent_id: subject, text: described.text });
    }
    if (mode === "json") print(`${jsonLine({ ...(isDryRun ? { "dry-run": true } : {}), ...line })}\n`);
    else print(`${isDryRun ? " DRY-RUN MODE - " : ""} ${line.id} ${line.text} ${line.status}\n`);
  };
}

/** Without what is empty. */
function jsonLine(values: Readonly<Record<string, string | boolean>>): string {
  return JSON.stringify(values, (_key, value: unknown) => (value === "" ? undefined : value));
}
