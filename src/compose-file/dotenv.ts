import { isVarveError, VarveError, type SourceRange } from "../errors/index.ts";
import { rangeOf } from "./node.ts";
import { substitute } from "./substitute.ts";

export interface DotenvOptions {
  /** The file's name, for messages. */
  readonly name: string;
  /** What variables in values stand for, and what a name without a value takes; the file's own earlier lines come after it. */
  readonly lookup: (name: string) => string | undefined;
  /** `raw`: values are taken as they stand, without quotes, comments or variables. */
  readonly format?: string | undefined;
  readonly onUnset?: (name: string) => void;
}

/**
 * Reads a `.env` file (Compose Specification, "Interpolation" and `env_file`): `NAME=value`, `NAME: value`, `export`,
 * comments, single quotes (literal), double quotes (escapes and variables), values of several lines in quotes. A name
 * without `=` takes its value from the environment, or is not there. Fails with COMPOSE_ENV_FILE.
 */
export function parseDotenv(text: string, options: DotenvOptions): Readonly<Record<string, string>> {
  const source = text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  const values = new Map<string, string>();
  const lookup = (name: string): string | undefined => options.lookup(name) ?? values.get(name);
  const fail = (reason: string, offset: number): VarveError => dotenvError(reason, options.name, source, offset);

  if (options.format !== undefined && options.format !== "" && options.format !== "raw") {
    throw new VarveError("COMPOSE_ENV_FILE", `unsupported env_file format "${options.format}"`, {
      hint: "the format that there is besides none is raw",
    });
  }
  if (options.format === "raw") return parseRaw(source, options, fail);

  let at = 0;
  while (at < source.length) {
    const blank = /[\s\u0085\u00A0]*(?:#[^\n]*)?/y;
    blank.lastIndex = at;
    at += blank.exec(source)?.[0].length ?? 0;
    if (at >= source.length) break;
    if (/[\s#]/.test(source[at] ?? "")) continue;
    const { name, end, hasValue } = readName(source, at, fail);
    at = end;
    if (!hasValue) {
      const value = lookup(name);
      if (value !== undefined) values.set(name, value);
      continue;
    }
    const value = readValue(source, at, fail);
    at = value.end;
    try {
      const expand = { lookup, ...(options.onUnset === undefined ? {} : { onUnset: options.onUnset }) };
      values.set(name, value.isLiteral ? value.text : substitute(value.text, expand));
    } catch (error) {
      if (isVarveError(error)) throw fail(error.message, value.start);
      throw error;
    }
  }
  return Object.fromEntries(values);
}

type Fail = (reason: string, offset: number) => VarveError;

function readName(
  source: string,
  start: number,
  fail: Fail,
): { readonly name: string; readonly end: number; readonly hasValue: boolean } {
  const pattern = /(?:export[ \t]+)?([^=:\n]*)([=:\n]|$)/y;
  pattern.lastIndex = start;
  const match = pattern.exec(source);
  const name = match?.[1]?.trim() ?? "";
  const wrong = /[^\p{L}\p{N}_.\-[\] \t]/u.exec(name);
  if (wrong !== null) throw fail(`unexpected character "${wrong[0]}" in variable name "${name}"`, start);
  if (/\s/.test(name)) throw fail("key cannot contain a space", start);
  if (name === "") throw fail("a line has a value but no name", start);
  return { name, end: start + (match?.[0].length ?? 0), hasValue: match?.[2] === "=" || match?.[2] === ":" };
}

interface Value {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Single quotes: nothing in it stands for something else. */
  readonly isLiteral: boolean;
}

function readValue(source: string, from: number, fail: Fail): Value {
  const start = from + (/^[\t\v\f\r \u0085\u00A0]*/.exec(source.slice(from))?.[0].length ?? 0);
  const quote = source[start];
  if (quote !== '"' && quote !== "'") {
    const newline = source.indexOf("\n", start);
    const end = newline < 0 ? source.length : newline;
    const line = source.slice(start, end);
    const comment = line.indexOf(" #");
    return { text: (comment < 0 ? line : line.slice(0, comment)).trimEnd(), start, end, isLiteral: false };
  }
  let text = "";
  for (let index = start + 1; index < source.length; index++) {
    const unit = source[index] ?? "";
    if (unit === quote) return { text: quote === '"' ? unescape(text) : text, start, end: index + 1, isLiteral: quote === "'" };
    if (unit === "\\" && index + 1 < source.length) {
      const escaped = source[++index] ?? "";
      text += escaped === quote ? escaped : `\\${escaped}`;
    } else text += unit;
  }
  throw fail("unterminated quoted value", start);
}

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  $: "$$",
};

/** Escapes of a text in double quotes: those of Go, and `\$` for a dollar sign. */
function unescape(text: string): string {
  return text.replaceAll(/\\(?:([abfnrtv$"\\])|0([0-7]{3}))/g, (whole, letter?: string, octal?: string) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
    return letter === undefined ? whole : (escapes[letter] ?? whole);
  });
}

function parseRaw(source: string, options: DotenvOptions, fail: Fail): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  let at = 0;
  for (const line of source.split("\n")) {
    const offset = at;
    at += line.length + 1;
    const text = line.trimStart();
    if (text === "" || text.startsWith("#")) continue;
    const equals = text.indexOf("=");
    const name = equals < 0 ? text.trimEnd() : text.slice(0, equals);
    if (name === "") throw fail("a line has a value but no name", offset);
    if (/\s/.test(name)) throw fail(`variable "${name}" contains whitespaces`, offset);
    const value = equals < 0 ? options.lookup(name) : text.slice(equals + 1);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

function dotenvError(reason: string, name: string, source: string, offset: number): VarveError {
  const newline = source.indexOf("\n", offset);
  const where: SourceRange | undefined = rangeOf({
    file: { name, text: source },
    start: offset,
    end: newline < 0 ? source.length : newline,
  });
  const line = where?.startLine ?? 1;
  return new VarveError(
    "COMPOSE_ENV_FILE",
    `failed to read ${name}: line ${line}: ${reason}`,
    where === undefined ? {} : { where },
  );
}
