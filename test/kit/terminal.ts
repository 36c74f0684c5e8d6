/** Runs programs in a pseudo-terminal, as a person at the keys does: util-linux's script(1) holds its other end. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { listDescendants } from "./processes.ts";

export interface TerminalOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly rows?: number;
  readonly columns?: number;
}

export interface Terminal {
  /** Of script(1), which the terminal ends with. */
  readonly pid: number;
  /** The program's own. */
  programPid(): number;
  /** All that was shown so far. */
  shown(): string;
  /** Types; a line ends with `\r`, control and a letter are `\x01` … `\x1a`. */
  type(keys: string): void;
  resize(rows: number, columns: number): void;
  /** Waits until what was shown since the last match has the pattern; fails when it ends without, or after a minute. */
  waitFor(pattern: RegExp): Promise<RegExpMatchArray>;
  /** The program's exit code, and what the terminal's settings were after it (stty -a). */
  readonly ended: Promise<{ readonly code: number | null; readonly settings: string }>;
}

const patienceMs = 60_000;
const marker = "~settings~";

export function openTerminal(command: readonly string[], { cwd, env, rows = 24, columns = 80 }: TerminalOptions): Terminal {
  const script = [
    `stty rows ${rows} cols ${columns}`,
    'echo "~tty $(tty) $$~"',
    // The shell stays what it is, whatever is typed, and shows in the end what was left of the terminal.
    "trap : INT QUIT",
    command.map(quote).join(" "),
    `code=$?; echo "${marker}"; stty -a; exit $code`,
  ].join("\n");
  const child = spawn("script", ["--quiet", "--return", "--flush", "--command", script, "/dev/null"], {
    cwd,
    env: { TERM: "xterm", SHELL: "/bin/sh", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  let seen = 0;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  child.stdin.on("error", () => undefined); // typed after the end
  // later than the exit: what was shown last may still be on its way
  let isClosed = false;
  child.once("close", () => (isClosed = true));
  const facts = (): { readonly tty: string; readonly shell: number } => {
    const [, tty = "", shell = ""] = /~tty (\S+) (\d+)~/.exec(text) ?? [];
    return { tty, shell: Number(shell) };
  };
  return {
    pid: child.pid ?? 0,
    programPid: () => listDescendants(facts().shell)[0] ?? 0,
    shown: () => text,
    type: (keys) => void child.stdin.write(keys),
    resize: (newRows, newColumns) =>
      void execFileSync("stty", ["-F", facts().tty, "rows", String(newRows), "cols", String(newColumns)]),
    async waitFor(pattern) {
      for (const begin = Date.now(); ; await sleep(10)) {
        const found = pattern.exec(text.slice(seen));
        if (found !== null) {
          seen += found.index + found[0].length;
          return found;
        }
        if (isClosed || Date.now() - begin > patienceMs) {
          child.kill("SIGKILL");
          throw new Error(`${pattern} was not shown by ${command.join(" ")}:\n${text.slice(seen)}`);
        }
      }
    },
    ended: once(child, "close").then(([code]) => ({
      code: code as number | null,
      settings: text.slice(text.lastIndexOf(marker)),
    })),
  };
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
