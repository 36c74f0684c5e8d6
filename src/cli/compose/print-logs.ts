import { shortName, type Observed } from "../../compose/index.ts";
import type { LogLine } from "../../containers/index.ts";

const basicColors = ["36", "33", "32", "35", "34"];
/** The colours of names, in the order of Docker Compose. */
const colors = [...basicColors, ...basicColors.map((code) => `${code};1`)];

export interface LogPrinterOptions {
  /** Prints whole lines; 1 is stdout, 2 is stderr. */
  readonly print: (stream: 1 | 2, text: string) => void;
  /** The names whose width the prefix has, and which have the first colours. */
  readonly names: readonly string[];
  readonly prefix: boolean;
  readonly colors: boolean;
  readonly timestamps: boolean;
}

/** Prints lines of containers with their names before them: `web-1  | text`. */
export interface LogPrinter {
  readonly line: (container: Observed, line: Pick<LogLine, "data" | "timestamp" | "stream">) => void;
  /** `web-1 exited with code 0` */
  readonly exit: (container: Observed, exitCode: number, options?: { readonly isRestarting?: boolean }) => void;
}

export function createLogPrinter({ names, ...options }: LogPrinterOptions): LogPrinter {
  const known = [...names];
  const paint = (name: string, text: string): string => {
    if (!options.colors) return text;
    if (!known.includes(name)) known.push(name);
    return `\u001B[${colors[known.indexOf(name) % colors.length]}m${text}\u001B[0m`;
  };
  const prefixOf = (name: string): string => {
    if (!options.prefix) return "";
    const width = Math.max(...[name, ...known].map(({ length }) => length));
    return paint(name, `${name.padEnd(width)}  | `);
  };
  return {
    line(container, { data, timestamp, stream }) {
      const text = Buffer.from(data).toString();
      const whole = text.endsWith("\n") ? text.slice(0, -1) : text;
      options.print(stream, `${prefixOf(shortName(container))}${options.timestamps ? `${timestamp} ` : ""}${whole}\n`);
    },
    exit(container, exitCode, { isRestarting = false } = {}) {
      const name = shortName(container);
      options.print(1, `${paint(name, `${name} exited with code ${exitCode}${isRestarting ? " (restarting)" : ""}`)}\n`);
    },
  };
}
