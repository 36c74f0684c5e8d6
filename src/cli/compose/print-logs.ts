import { shortName, type Observed } from "../../compose/index.ts";
import type { LogLine } from "../../containers/index.ts";
import type { Io } from "../io.ts";

/** The colours of names, in the order of Docker Compose. */
const colors = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

export interface LogPrinterOptions {
  /** The names whose width the prefix has. */
  readonly names: readonly string[];
  readonly prefix: boolean;
  readonly colors: boolean;
  readonly timestamps: boolean;
}

/** Prints lines of containers with their names before them: `web-1  | text`. */
export interface LogPrinter {
  readonly line: (container: Observed, line: LogLine) => void;
  /** `web-1 exited with code 0` */
  readonly exit: (container: Observed, exitCode: number) => void;
}

export function createLogPrinter({ stdout, stderr }: Pick<Io, "stdout" | "stderr">, options: LogPrinterOptions): LogPrinter {
  const width = Math.max(0, ...options.names.map((name) => name.length));
  const colorOf = new Map<string, number>();
  const paint = (name: string, text: string): string => {
    if (!options.colors) return text;
    const color = colorOf.get(name) ?? colors[colorOf.size % colors.length] ?? 0;
    colorOf.set(name, color);
    return `\u001B[${color}m${text}\u001B[0m`;
  };
  const prefixOf = (name: string): string => (options.prefix ? paint(name, `${name.padEnd(width)}  | `) : "");
  return {
    line(container, { data, timestamp, stream }) {
      const text = Buffer.from(data).toString();
      const whole = text.endsWith("\n") ? text.slice(0, -1) : text;
      const out = stream === 1 ? stdout : stderr;
      out.print(`${prefixOf(shortName(container))}${options.timestamps ? `${timestamp} ` : ""}${whole}\n`);
    },
    exit(container, exitCode) {
      const name = shortName(container);
      stdout.print(`${options.prefix ? paint(name, `${name} `) : `${name} `}exited with code ${exitCode}\n`);
    },
  };
}

/** Whether names are coloured: `--ansi`, NO_COLOR, and whether stdout is a terminal. */
export function logColors(io: Io, { ansi, noColor }: { readonly ansi: string | undefined; readonly noColor: boolean }): boolean {
  if (noColor || (io.env["NO_COLOR"] ?? "") !== "" || ansi === "never") return false;
  return ansi === "always" || io.stdout.isTerminal;
}
