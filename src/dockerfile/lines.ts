import { VarveError, type SourceRange } from "../errors/index.ts";
import type { Span } from "./syntax.ts";

/** The longest line in UTF-8 bytes, its line feed not counted (P01): what BuildKit's line scanner can hold. */
export const maxLineBytes = 65_535;

/** One physical line. `text` has no line end; `end` is the start of the next line. */
export interface SourceLine {
  /** From 1. */
  readonly number: number;
  readonly start: number;
  readonly end: number;
  /** Without the carriage returns and the line feed at its end. */
  readonly text: string;
}

/** Splits at line feeds. Throws DOCKERFILE_LINE_TOO_LONG over {@link maxLineBytes}. */
export function splitLines(source: string, file: string): SourceLine[] {
  const lines: SourceLine[] = [];
  for (let start = 0; start < source.length;) {
    const feed = source.indexOf("\n", start);
    const stop = feed === -1 ? source.length : feed;
    const end = feed === -1 ? source.length : feed + 1;
    const number = lines.length + 1;
    const whole = source.slice(start, stop);
    if (whole.length * 3 > maxLineBytes && Buffer.byteLength(whole) > maxLineBytes) {
      throw new VarveError("DOCKERFILE_LINE_TOO_LONG", `dockerfile line greater than max allowed size of ${maxLineBytes}`, {
        where: { file, startLine: number, startColumn: 1, endLine: number, endColumn: stop - start + 1, source },
        hint: "break the line with a continuation, or put the text in a file",
      });
    }
    lines.push({ number, start, end, text: dropLineEnd(whole) });
    start = end;
  }
  return lines;
}

/** `line` without the carriage returns and line feeds at its end. */
export function dropLineEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === "\r" || line[end - 1] === "\n")) end--;
  return line.slice(0, end);
}

/** Turns spans into line and column ranges. */
export interface SourceMap {
  /** The range of `span`, line ends at its end left out. Carries the source for excerpts. */
  range(span: Span): SourceRange;
}

/** Makes a {@link SourceMap} of a source; costs one pass over it. */
export function createSourceMap(file: string, source: string): SourceMap {
  const starts = [0];
  for (let feed = source.indexOf("\n"); feed !== -1; feed = source.indexOf("\n", feed + 1)) starts.push(feed + 1);
  const locate = (offset: number): { line: number; column: number } => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - starts[low]! + 1 };
  };
  return {
    range(span) {
      let end = span.end;
      while (end > span.start && (source[end - 1] === "\n" || source[end - 1] === "\r")) end--;
      const first = locate(span.start);
      const last = locate(end);
      return { file, startLine: first.line, startColumn: first.column, endLine: last.line, endColumn: last.column, source };
    },
  };
}
