import { isSpace, skipSpace, skipSpaceBack } from "./white-space.ts";

/** A piece of a line and where it stands in it. */
export interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Splits at blanks only, quotes mean nothing: FROM, EXPOSE, and the list form of COPY, ADD and VOLUME. */
export function splitAtBlanks(text: string): Word[] {
  return Array.from(text.matchAll(/[^\t\v\f\r ]+/g), (match) => ({
    text: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/**
 * Splits at white space outside quotes, as ENV, LABEL and ARG do (P11). Quotes and escapes stay in the words, for the
 * expansion to take off; only an escape at the very end of the line vanishes.
 */
export function splitQuoted(text: string, escape: string): Word[] {
  const words: Word[] = [];
  let at = skipSpace(text);
  while (at < text.length) {
    const start = at;
    let quote = "";
    let word = "";
    while (at < text.length && (quote !== "" || !isSpace(text[at]!))) {
      const ch = text[at]!;
      if (ch === escape && quote !== "'") {
        word += at + 1 < text.length ? text.slice(at, at + 2) : "";
        at += 2;
        continue;
      }
      if (quote === "") quote = ch === "'" || ch === '"' ? ch : "";
      else if (ch === quote) quote = "";
      word += ch;
      at++;
    }
    if (word !== "") words.push({ text: word, start, end: Math.min(at, text.length) });
    at = skipSpace(text, Math.min(at, text.length));
  }
  return words;
}

/** A flag word with quotes and escapes taken off. */
export interface CommandWords {
  readonly keyword: Word;
  readonly flags: readonly Word[];
  readonly rest: Word;
}

/**
 * Splits a joined line into keyword, flags and rest (P07). Flags are the leading words that begin with `--`; a bare
 * `--` ends them. Quotes and escapes are taken off flag words.
 */
export function splitCommand(line: string, escape: string): CommandWords {
  const from = skipSpace(line);
  const stop = Math.max(from, skipSpaceBack(line));
  const keywordEnd = from + /^[^\t\v\f\r ]*/.exec(line.slice(from, stop))![0].length;
  const keyword = { text: line.slice(from, keywordEnd), start: from, end: keywordEnd };
  const flags: Word[] = [];
  let at = skipSpace(line, keywordEnd);
  while (line.startsWith("--", at)) {
    const flag = readFlagWord(line, at, escape);
    at = flag.end;
    if (flag.text === "--") break;
    flags.push(flag);
    at = skipSpace(line, at);
  }
  const start = Math.min(skipSpace(line, at), Math.max(stop, at));
  const end = Math.max(start, stop);
  return { keyword, flags, rest: { text: line.slice(start, end), start, end } };
}

function readFlagWord(line: string, start: number, escape: string): Word {
  let at = start;
  let quote = "";
  let text = "";
  for (; at < line.length && (quote !== "" || !isSpace(line[at]!)); at++) {
    const ch = line[at]!;
    if (ch === quote) quote = "";
    else if (quote === "" && (ch === "'" || ch === '"')) quote = ch;
    else if (ch === escape) text += line[++at] ?? "";
    else text += ch;
  }
  return { text, start, end: Math.min(at, line.length) };
}
