import { VarveError, type SourceRange, nearest } from "../errors/index.ts";
import { removeMatch, replaceMatches } from "./substitute.ts";
import { isSpace } from "./white-space.ts";

/** Deepest nesting of `${…${…}…}`. */
export const maxNesting = 100;
/** Longest result in UTF-16 units; nested replacements could otherwise grow without bound. */
export const maxExpandedLength = 4_194_304;

/** Looks a variable up. `names`, where given, lists what is set, for "did you mean". */
export interface Environment {
  (name: string): string | undefined;
  readonly names?: () => Iterable<string>;
}

export interface ExpandOptions {
  /** The escape character: the file's `escape` directive. Heredoc words and bodies always use `\`. */
  readonly escape: "\\" | "`";
  /** `remove` (default) takes quotes off, `keep` honours but keeps them, `ignore` sees no quotes at all. */
  readonly quotes?: "remove" | "keep" | "ignore";
  /** `keep` leaves escape characters in the result. Default `remove`. */
  readonly escapes?: "remove" | "keep";
  /** `keep` leaves variables that are not set as they are written. Default `empty`. */
  readonly unset?: "empty" | "keep";
  /** The place that errors name. */
  readonly where?: SourceRange;
}

export interface Expansion {
  readonly value: string;
  /** The variables that were looked up and set. */
  readonly matched: ReadonlySet<string>;
  /** The variables that were looked up and not set, also where a default stood in (lint UndefinedVar). */
  readonly unmatched: ReadonlySet<string>;
}

/**
 * Expands the variables of one word (V01-V12): what BuildKit's shell lexer calls ProcessWord. Spaces stay, quotes and
 * escapes go. The words of ADD, COPY, ENV, FROM, LABEL, STOPSIGNAL, USER, VOLUME and WORKDIR, defaults of ARG, and the
 * values of `--platform`, `--chown`, `--chmod`, `--checksum` and of `--mount` fields are expanded this way.
 *
 * For the name of a RUN step in progress, use `{ quotes: "keep", unset: "keep" }` and show the text as written when it
 * throws. Throws DOCKERFILE_SUBSTITUTION for what cannot be read and for `${v:?}`; its details hold the names in `unmatched`.
 */
export function expandWord(word: string, env: Environment, options: ExpandOptions): Expansion {
  const { value, matched, unmatched } = expandWords(word, env, options);
  return { value, matched, unmatched };
}

/**
 * Expands the text of a COPY or ADD heredoc body whose delimiter was not quoted: quotes are ordinary characters, `\`
 * escapes the next character and goes, whatever the `escape` directive says.
 */
export function expandRaw(text: string, env: Environment, options: { readonly where?: SourceRange } = {}): Expansion {
  return expandWord(text, env, { ...options, escape: "\\", quotes: "ignore" });
}

/**
 * Expands and then splits at white space that is neither quoted nor escaped, white space from variables included: what
 * BuildKit calls ProcessWords and EXPOSE uses. Empty words vanish, even quoted ones.
 */
export function expandWords(
  word: string,
  env: Environment,
  options: ExpandOptions,
): Expansion & { readonly words: readonly string[] } {
  const words = createWordCollector();
  const lexer: Lexer = { text: word, at: 0, depth: 0, env, options, matched: new Set(), unmatched: new Set() };
  const value = readUntil(lexer, undefined, options.escapes === "keep", words);
  return { value, words: words.finish(), matched: lexer.matched, unmatched: lexer.unmatched };
}

interface Lexer {
  readonly text: string;
  at: number;
  depth: number;
  readonly env: Environment;
  readonly options: ExpandOptions;
  readonly matched: Set<string>;
  readonly unmatched: Set<string>;
}

function fail(lexer: Lexer, problem: string, hint?: string): VarveError {
  const word = lexer.text.length > 200 ? `${lexer.text.slice(0, 200)}…` : lexer.text;
  return new VarveError("DOCKERFILE_SUBSTITUTION", `failed to process ${JSON.stringify(word)}: ${problem}`, {
    details: { unmatched: [...lexer.unmatched] },
    ...(lexer.options.where === undefined ? {} : { where: lexer.options.where }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Reads to `stop`, which is consumed, or to the end of the text where `stop` is undefined. */
function readUntil(lexer: Lexer, stop: "}" | "/" | undefined, keepEscapes: boolean, words?: WordCollector): string {
  const { text, options } = lexer;
  let out = "";
  while (lexer.at < text.length) {
    const ch = text[lexer.at]!;
    if (ch === stop) {
      lexer.at++;
      return out;
    }
    let piece: string;
    if (ch === "$") {
      piece = readDollar(lexer);
      words?.add(piece);
    } else if (ch === "'" && options.quotes !== "ignore") {
      piece = readSingleQuoted(lexer);
      words?.addWhole(piece);
    } else if (ch === '"' && options.quotes !== "ignore") {
      piece = readDoubleQuoted(lexer, keepEscapes);
      words?.addWhole(piece);
    } else if (text.startsWith("<<", lexer.at)) {
      // `<< WORD` is one word: a heredoc may have blanks before its delimiter
      piece = /^<<[\t\r ]*/.exec(text.slice(lexer.at, lexer.at + 4096))![0];
      lexer.at += piece.length;
      words?.addWhole(piece);
    } else if (ch === options.escape) {
      const escaped = text[lexer.at + 1] ?? "";
      piece = (keepEscapes ? ch : "") + escaped;
      lexer.at += 2;
      if (piece !== "") words?.addWhole(piece);
    } else {
      piece = ch;
      lexer.at++;
      words?.add(piece);
    }
    out += piece;
    if (out.length > maxExpandedLength) throw fail(lexer, `the result is longer than ${maxExpandedLength} characters`);
  }
  if (stop !== undefined) throw fail(lexer, stop === "}" ? "syntax error: missing '}'" : "syntax error: missing '/' in ${}");
  return out;
}

function readSingleQuoted(lexer: Lexer): string {
  const end = lexer.text.indexOf("'", lexer.at + 1);
  if (end === -1) throw fail(lexer, "unexpected end of statement while looking for matching single-quote");
  const keep = lexer.options.quotes === "keep";
  const inner = lexer.text.slice(keep ? lexer.at : lexer.at + 1, keep ? end + 1 : end);
  lexer.at = end + 1;
  return inner;
}

function readDoubleQuoted(lexer: Lexer, keepEscapes: boolean): string {
  const { text, options } = lexer;
  const mark = options.quotes === "keep" ? '"' : "";
  let out = mark;
  lexer.at++;
  while (lexer.at < text.length) {
    const ch = text[lexer.at]!;
    if (ch === '"') {
      lexer.at++;
      return out + mark;
    }
    if (ch === "$") {
      out += readDollar(lexer);
      continue;
    }
    const next = text[lexer.at + 1] ?? "";
    if (ch === options.escape && next !== "" && (next === '"' || next === "$" || next === ch)) {
      out += (keepEscapes ? ch : "") + next;
      lexer.at += 2;
      continue;
    }
    out += ch === options.escape && keepEscapes ? ch + ch : ch;
    lexer.at++;
  }
  throw fail(lexer, "unexpected end of statement while looking for matching double-quote");
}

function readDollar(lexer: Lexer): string {
  lexer.at++;
  if (lexer.text[lexer.at] === "{") {
    lexer.at++;
    if (++lexer.depth > maxNesting) throw fail(lexer, `substitutions are nested more than ${maxNesting} deep`);
    const value = readSubstitution(lexer);
    lexer.depth--;
    return value;
  }
  const name = readName(lexer);
  if (name === "") return "$";
  return lookUp(lexer, name) ?? (lexer.options.unset === "keep" ? `$${name}` : "");
}

/** A name, a run of digits (`$10`), or one of the special parameters of POSIX 2.5.2, which are looked up like names. */
function readName(lexer: Lexer): string {
  const shape = /(?:\p{Nd}+|[@*#?\-$!]|[\p{L}_][\p{L}\p{Nd}_]*)/uy;
  shape.lastIndex = lexer.at;
  const name = shape.exec(lexer.text)?.[0] ?? "";
  lexer.at += name.length;
  return name;
}

function lookUp(lexer: Lexer, name: string): string | undefined {
  const value = lexer.env(name);
  (value === undefined ? lexer.unmatched : lexer.matched).add(name);
  return value;
}

/** Reads what follows `${`, the closing brace included. */
function readSubstitution(lexer: Lexer): string {
  const { text, options } = lexer;
  const first = text[lexer.at];
  if (first === undefined) throw fail(lexer, "syntax error: missing '}'");
  if (first === "{" || first === "}" || first === ":") throw fail(lexer, "syntax error: bad substitution");
  const name = readName(lexer);
  const written = (tail: string): string => `\${${name}${tail}}`;
  if (name === "") throw fail(lexer, "syntax error: bad substitution");
  let modifier = text[lexer.at++];
  if (modifier === undefined) throw fail(lexer, "syntax error: missing '}'");
  if (modifier === "}") return lookUp(lexer, name) ?? (options.unset === "keep" ? written("") : "");
  if (modifier === "/") return readReplacement(lexer, name, written);

  const emptyCounts = modifier === ":";
  if (emptyCounts) modifier = text[lexer.at++] ?? "";
  const shown = (emptyCounts ? ":" : "") + modifier;
  const strips = modifier === "#" || modifier === "%";
  if (modifier === "") throw fail(lexer, "syntax error: missing '}'");
  if (!"+-?#%".includes(modifier) || (strips && emptyCounts)) {
    throw fail(lexer, `unsupported modifier (${shown}) in substitution`);
  }
  const word = readUntil(lexer, "}", strips);
  const value = lookUp(lexer, name);
  if (value === undefined && options.unset === "keep") return written(shown + word);
  const missing = value === undefined || (emptyCounts && value === "");
  switch (modifier) {
    case "-":
      return missing ? word : value;
    case "+":
      return missing ? "" : word;
    case "?":
      if (!missing) return value;
      throw fail(
        lexer,
        `${name}: ${word || `is not allowed to be ${value === undefined ? "unset" : "empty"}`}`,
        hintFor(lexer, name),
      );
    default: {
      const longest = word.startsWith(modifier);
      return removeMatch(value ?? "", longest ? word.slice(1) : word, {
        from: modifier === "#" ? "start" : "end",
        longest,
        refuse: (problem) => fail(lexer, problem),
      });
    }
  }
}

function readReplacement(lexer: Lexer, name: string, written: (tail: string) => string): string {
  const all = lexer.text[lexer.at] === "/";
  if (all) lexer.at++;
  const pattern = readUntil(lexer, "/", true);
  const replacement = readUntil(lexer, "}", true);
  const value = lookUp(lexer, name);
  if (value === undefined && lexer.options.unset === "keep") return written(`/${all ? "/" : ""}${pattern}/${replacement}`);
  return replaceMatches(value ?? "", pattern, {
    replacement,
    all,
    maxLength: maxExpandedLength,
    refuse: (problem) => fail(lexer, problem),
  });
}

function hintFor(lexer: Lexer, name: string): string | undefined {
  const near = nearest(name, lexer.env.names?.() ?? []);
  return near === undefined ? undefined : `did you mean ${near}?`;
}

interface WordCollector {
  /** Text whose white space ends words. */
  add(text: string): void;
  /** Text that belongs to one word, white space included. */
  addWhole(text: string): void;
  finish(): string[];
}

function createWordCollector(): WordCollector {
  const words: string[] = [];
  let word = "";
  const end = (): void => {
    if (word !== "") words.push(word);
    word = "";
  };
  return {
    add(text) {
      for (const ch of text) {
        if (isSpace(ch)) end();
        else word += ch;
      }
    },
    addWhole(text) {
      word += text;
    },
    finish() {
      end();
      return words;
    },
  };
}
