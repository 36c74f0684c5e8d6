import { isVarveError, type SourceRange, type VarveError } from "../errors/index.ts";
import type { Io } from "./io.ts";

export interface PrintErrorOptions {
  readonly debug: boolean;
  readonly colors: boolean;
  /** What failed, e.g. `failed to build`. */
  readonly doing?: string;
  /** The command's usage line, shown when the command line was wrong. */
  readonly usage?: string;
  readonly command?: string;
}

/** Whether stderr takes colours: a terminal, and neither NO_COLOR nor TERM=dumb. FORCE_COLOR wins over the terminal. */
export function useColors(io: Pick<Io, "env" | "stderr">): boolean {
  if ((io.env["NO_COLOR"] ?? "") !== "") return false;
  const force = io.env["FORCE_COLOR"];
  if (force !== undefined && force !== "" && force !== "0") return true;
  return io.stderr.isTerminal && io.env["TERM"] !== "dumb";
}

/**
 * What a person reads when a command failed: the place in the Dockerfile, the message with its code, the causes, the
 * hint. Errors that are not ours are defects: they come with their stack.
 */
export function formatError(error: unknown, options: PrintErrorOptions): string {
  if (!isVarveError(error)) return formatDefect(error, options);
  const lines: string[] = [];
  if (error.where !== undefined) lines.push(...formatExcerpt(error.where));
  const prefix = options.doing === undefined || error.code === "USAGE" ? "" : `${options.doing}: `;
  lines.push(`${errorWord(options)} ${prefix}${error.message} [${error.code}]`);
  const causes = causeChain(error);
  if (causes !== "") lines.push(`cause: ${causes}`);
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  if (error.code === "USAGE" && options.usage !== undefined && options.command !== undefined) {
    lines.push("", options.usage, "", `Run 'varve ${options.command} --help' for more information`);
  }
  if (options.debug) lines.push(...stackLines(error));
  return `${lines.join("\n")}\n`;
}

function formatDefect(error: unknown, options: PrintErrorOptions): string {
  const message = error instanceof Error ? error.message : String(error);
  const lines = [
    `${errorWord(options)} ${message} [INTERNAL]`,
    "hint: this is a defect of Varve; please report it with the lines below",
  ];
  return `${[...lines, ...stackLines(error)].join("\n")}\n`;
}

function errorWord({ colors }: PrintErrorOptions): string {
  return colors ? "\u001b[31mERROR:\u001b[0m" : "ERROR:";
}

function stackLines(error: unknown): readonly string[] {
  const lines: string[] = [];
  for (let at = error; at instanceof Error && lines.length < 200; at = at.cause)
    lines.push(...(at.stack ?? String(at)).split("\n"));
  return lines;
}

/** The messages of the causes in one line, without what the message above already says. */
function causeChain(error: VarveError): string {
  const parts: string[] = [];
  let said = error.message;
  let at: unknown = error.cause;
  for (let depth = 0; at instanceof Error && depth < 8; depth++) {
    const message = oneLine(at.message);
    if (message !== "" && !said.includes(message)) parts.push(message);
    said += message;
    at = at.cause;
  }
  return parts.join(": ");
}

function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- a cause may quote what a registry or an image said
  return text.replaceAll(/[\u0000-\u001f\u007f]+/g, " ").trim();
}

/**
 * The lines around a place with `>>>` before those it covers, in BuildKit's layout (solver/errdefs/source.go). Without
 * the file's text: the place alone. A place that is only a part of a line is underlined.
 */
export function formatExcerpt(where: SourceRange): readonly string[] {
  const lines = where.source?.split("\n") ?? [];
  const first = where.startLine;
  const last = Math.min(Math.max(where.endLine, first), lines.length);
  if (first < 1 || first > lines.length) return [`${where.file}:${where.startLine}`];
  const wanted = first === last ? 4 : 2;
  let start = first;
  let end = last;
  for (let shown = 0; shown < wanted; shown++) {
    if (start > 1) {
      start--;
      shown++;
    }
    if (end < lines.length) {
      end++;
      shown++;
    }
  }
  const rule = "-".repeat(20);
  const body = lines.slice(start - 1, end).map((line, index) => {
    const number = start + index;
    const marker = number >= first && number <= last ? ">>>" : "   ";
    return ` ${String(number).padStart(3)} | ${marker} ${line.replace(/\r$/, "")}`;
  });
  const underline = underlineOf(where, lines[first - 1] ?? "");
  if (underline !== undefined) body.splice(first - start + 1, 0, underline);
  return [`${where.file}:${first}`, rule, ...body, rule];
}

function underlineOf({ startLine, endLine, startColumn, endColumn }: SourceRange, line: string): string | undefined {
  const text = line.trimEnd();
  const isWhole = line.slice(0, startColumn - 1).trim() === "" && endColumn > text.length;
  if (startLine !== endLine || startColumn < 1 || endColumn <= startColumn || isWhole) return undefined;
  // Tabs stay, so that the marks stand below what they mark
  const indent = line.slice(0, startColumn - 1).replaceAll(/[^\t]/g, " ");
  return `     |     ${indent}${"^".repeat(Math.min(endColumn, text.length + 1) - startColumn)}`;
}
