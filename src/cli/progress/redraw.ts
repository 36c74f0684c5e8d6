import { displayWidth } from "./terminal-text.ts";

/** A line of the screen: what it says, and how that is written with its colours. */
export interface ScreenLine {
  readonly text: string;
  /** Default: the text. */
  readonly painted?: string;
}

/** Lines of a terminal that are drawn over themselves. The cursor is hidden only while a frame is written. */
export interface Redraw {
  /** Draws these lines over those of the last frame. */
  draw(lines: readonly ScreenLine[]): void;
  /** Writes whole lines that stay, above those that are drawn. */
  above(text: string): void;
  /** What is drawn stays as it is: the next frame begins below it. */
  leave(): void;
}

export interface RedrawOptions {
  readonly write: (text: string) => void;
  /** The terminal's size now; it may change at any time. */
  readonly size: () => { readonly columns: number };
}

export function createRedraw({ write, size }: RedrawOptions): Redraw {
  let drawn: readonly ScreenLine[] = [];
  const show = (lines: readonly ScreenLine[], above: string): void => {
    const body = lines.map(({ text, painted = text }) => `${painted}${eraseLine}\n`).join("");
    write(`${hideCursor}${rewind(drawn, size().columns)}${above}${body}${eraseBelow}${showCursor}`);
    drawn = lines;
  };
  return {
    draw: (lines) => show(lines, ""),
    above(text) {
      if (drawn.length === 0) write(text);
      else show(drawn, text.replaceAll("\n", `${eraseLine}\n`));
    },
    leave() {
      drawn = [];
    },
  };
}

const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";
/** From the cursor to the end of its line. */
export const eraseLine = "\u001b[K";
const eraseBelow = "\u001b[J";

/** Back to the first line of the last frame. A terminal that became narrower has wrapped its lines. */
function rewind(frame: readonly ScreenLine[], columns: number): string {
  const height = frame.reduce((sum, { text }) => sum + Math.max(1, Math.ceil(displayWidth(text) / Math.max(1, columns))), 0);
  return height === 0 ? "" : `\u001b[${height}A\r`;
}
