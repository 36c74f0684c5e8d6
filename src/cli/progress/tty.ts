import type { ProgressColors } from "./colors.ts";
import { drawFrame, type FrameLine } from "./frame.ts";
import type { Progress } from "./progress.ts";
import { createRedraw, type ScreenLine } from "./redraw.ts";
import { takeLog } from "./step.ts";
import { createSteps, formatFailures } from "./steps.ts";
import { createLogTail, type LogTail } from "./terminal-text.ts";

/** The screen is drawn again at most this often. BuildKit's `TTY_DISPLAY_RATE`. */
const frameMs = 100;

export interface TtyOptions {
  readonly write: (text: string) => void;
  /** The terminal's size now; it may change at any time. */
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** Absent where no colours are wanted. */
  readonly colors: ProgressColors | undefined;
  readonly description: string;
  /** Lines of output shown below a running command. */
  readonly logLines: number;
  /** When the build began, in milliseconds since 1970. */
  readonly startMs: number;
}

/** Live progress on a terminal (U02): one screen that is drawn over itself until the build ends. */
export function createTtyProgress({ write, size, colors, description, logLines, startMs }: TtyOptions): Progress {
  const steps = createSteps();
  const tails = new Map<string, LogTail>();
  const screen = createRedraw({ write, size });
  let drawnAt = 0;

  function draw(nowMs: number, last: boolean): void {
    const { columns, rows } = size();
    drawnAt = nowMs;
    const frame = drawFrame({
      steps,
      tails,
      startMs,
      nowMs,
      columns,
      ...(last ? {} : { rows: rows - 1 }),
      description,
      logLines,
    });
    screen.draw(frame.map(paint));
  }

  function paint({ text, style }: FrameLine): ScreenLine {
    const code = colors === undefined || style === undefined ? undefined : style === "faint" ? "2" : colors[style];
    return code === undefined ? { text } : { text, painted: `\u001b[${code}m${text}\u001b[0m` };
  }

  return {
    take(event) {
      steps.take(event);
      if (event.type === "log") {
        let tail = tails.get(event.vertex);
        if (tail === undefined) tails.set(event.vertex, (tail = createLogTail(logLines)));
        tail.add(event.stream, event.data);
        const step = steps.all.get(event.vertex);
        if (step !== undefined) takeLog(step); // keeps the lines for the report of a failure, and no more
      }
      if (event.time - drawnAt >= frameMs) draw(event.time, false);
    },
    tick(nowMs) {
      if (steps.all.size > 0 && nowMs - drawnAt >= frameMs) draw(nowMs, false);
    },
    end(nowMs) {
      if (steps.all.size > 0) draw(nowMs, true);
      const failures = formatFailures(steps);
      if (failures !== "") write(failures);
    },
  };
}
