import { createRedraw, type ScreenLine } from "../progress/redraw.ts";
import { cutToWidth } from "../progress/terminal-text.ts";
import type { Io } from "../io.ts";

/** A key, and what it does. */
export interface MenuEntry {
  readonly key: string;
  /** `Detach`; asked for anew at each drawing. */
  readonly text: () => string;
  readonly act: () => void;
}

/** A line below what is printed that tells which keys do what. */
export interface Menu {
  /** Prints whole lines above the menu. */
  print(text: string): void;
  /** Draws it again: what an entry says has changed. */
  refresh(): void;
  /** The menu goes, and the terminal's keys are as before. */
  close(): void;
}

export interface MenuOptions {
  readonly entries: readonly MenuEntry[];
  readonly colors: boolean;
}

/** Shows a menu on stdout, which is a terminal as stdin is, and carries out what its keys ask for until it is closed. */
export async function openMenu({ stdin, stdout }: Pick<Io, "stdin" | "stdout">, options: MenuOptions): Promise<Menu> {
  const size = stdout.size ?? (() => ({ columns: 80, rows: 24 }));
  const screen = createRedraw({ write: stdout.print, size });
  // Signals stay what they are: Ctrl-C stops, Ctrl-Z suspends
  const releaseKeys = await stdin.takeKeys?.({ keepSignals: true });
  let isOpen = true;
  const refresh = (): void => {
    if (isOpen) screen.draw([menuLine(options, size().columns)]);
  };
  const releaseSize = stdout.onResize?.(refresh);
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    releaseSize?.();
    screen.draw([]);
    releaseKeys?.();
  };
  void (async () => {
    for await (const chunk of stdin.chunks()) {
      for (const key of Buffer.from(chunk).toString()) {
        if (!isOpen) return;
        // as in a log that is only read: some room between what was and what comes
        if (key === "\n" || key === "\r") screen.above("\n");
        else options.entries.find((entry) => entry.key === key)?.act();
      }
    }
  })().catch(close); // a terminal that cannot be read has no keys
  refresh();
  return { print: (text) => (isOpen ? screen.above(text) : stdout.print(text)), refresh, close };
}

/** `w Enable Watch   d Detach` */
function menuLine({ entries, colors }: MenuOptions, columns: number): ScreenLine {
  let left = columns - 1;
  let plain = "";
  let painted = "";
  const add = (text: string, sgr: string): void => {
    const shown = cutToWidth(text, left);
    left -= shown.length;
    plain += shown;
    painted += colors && shown !== "" && sgr !== "" ? `\u001b[${sgr}m${shown}\u001b[0m` : shown;
  };
  for (const [at, { key, text }] of entries.entries()) {
    add(at === 0 ? "" : "   ", "");
    add(key, "1;7");
    add(` ${text()}`, "2");
  }
  return { text: plain, painted };
}
