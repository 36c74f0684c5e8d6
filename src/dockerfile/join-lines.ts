import type { SourceLine } from "./lines.ts";
import { skipSpace } from "./white-space.ts";

/** An instruction's lines as one. */
export interface JoinedLine {
  readonly text: string;
  /** For each unit of `text` its offset in the source, and one more: the end of the last. */
  readonly offsets: readonly number[];
  /** Index of the line after the last one. */
  readonly next: number;
  /** An empty line stood between the continued ones (P06). */
  readonly emptyContinuation: boolean;
}

/**
 * Joins a line with those that continue it (P03-P06). White space before the first line goes, before the others it
 * stays; comment lines and empty lines between are left out; a continuation at the end of the file continues nothing.
 */
export function joinLines(lines: readonly SourceLine[], index: number, escape: string): JoinedLine {
  const texts: string[] = [];
  const offsets: number[] = [];
  let emptyContinuation = false;
  let next = index;
  let open = true;
  for (; open && next < lines.length; next++) {
    const line = lines[next]!;
    const lead = skipSpace(line.text);
    if (next > index) {
      if (line.text[lead] === "#") continue;
      if (lead === line.text.length) {
        emptyContinuation = true;
        continue;
      }
    }
    const from = next === index ? lead : 0;
    const cut = continuationStart(line.text, from, escape);
    open = cut !== -1;
    const to = open ? cut : line.text.length;
    texts.push(line.text.slice(from, to));
    for (let at = from; at < to; at++) offsets.push(line.start + at);
  }
  offsets.push(offsets.length === 0 ? lines[index]!.start : offsets.at(-1)! + 1);
  return { text: texts.join(""), offsets, next, emptyContinuation };
}

/** Where the continuation mark of a line stands, or -1: the escape, once, with at most blanks and tabs behind (P05). */
function continuationStart(line: string, from: number, escape: string): number {
  let at = line.length;
  while (at > from && (line[at - 1] === " " || line[at - 1] === "\t")) at--;
  if (at === from || line[at - 1] !== escape) return -1;
  return at - 2 >= from && line[at - 2] === escape ? -1 : at - 1;
}
