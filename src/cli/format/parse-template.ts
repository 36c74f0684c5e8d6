import { VarveError } from "../../errors/index.ts";

/** A part of a template: Go's text/template, without definitions of further templates. */
export type TemplateNode =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipe: Pipe }
  | {
      readonly kind: "if" | "with" | "range";
      readonly pipe: Pipe;
      readonly body: readonly TemplateNode[];
      readonly other: readonly TemplateNode[];
    }
  | { readonly kind: "break" | "continue" };

export interface Pipe {
  /** Variables that take the value; two of them in `range $key, $value := …`. */
  readonly variables: readonly string[];
  readonly declares: boolean;
  readonly commands: readonly (readonly Operand[])[];
  /** As written, for errors. */
  readonly text: string;
}

/** An operand with the fields that are asked of it. */
export interface Operand {
  readonly base:
    | { readonly kind: "dot" }
    | { readonly kind: "variable"; readonly name: string }
    | { readonly kind: "constant"; readonly value: unknown }
    | { readonly kind: "call"; readonly name: string }
    | { readonly kind: "pipe"; readonly pipe: Pipe };
  readonly fields: readonly string[];
}

/** Reads a template. Fails with USAGE in Go's words, and with NOT_SUPPORTED_YET for `define`, `block` and `template`. */
export function parseTemplate(template: string, functions: ReadonlySet<string>): readonly TemplateNode[] {
  const parts = splitActions(template);
  let at = 0;
  const block = (inRange: boolean, opener: string | undefined): { nodes: TemplateNode[]; ended: string } => {
    const nodes: TemplateNode[] = [];
    while (at < parts.length) {
      const part = parts[at++];
      if (part === undefined) break;
      if (part.kind === "text") {
        if (part.text !== "") nodes.push({ kind: "text", text: part.text });
        continue;
      }
      const [word = "", rest] = firstWord(part.text);
      if (part.text === "") throw failure("missing value for command");
      if (word === "end" || word === "else") {
        if (opener === undefined) throw failure(`unexpected {{${word}}}`);
        return { nodes, ended: part.text };
      }
      if (word === "break" || word === "continue") {
        if (!inRange) throw failure(`{{${word}}} outside {{range}}`);
        nodes.push({ kind: word });
      } else if (word === "if" || word === "with" || word === "range")
        nodes.push(branch(word, rest, inRange || word === "range"));
      else if (word === "define" || word === "block" || word === "template")
        throw new VarveError("NOT_SUPPORTED_YET", `the template action {{${part.text}}} is not supported yet`);
      else nodes.push({ kind: "print", pipe: parsePipe(part.text, functions) });
    }
    if (opener !== undefined) throw failure("unexpected EOF");
    return { nodes, ended: "" };
  };
  const branch = (kind: "if" | "with" | "range", text: string, inRange: boolean): TemplateNode => {
    const pipe = parsePipe(text, functions);
    const { nodes: body, ended } = block(inRange, kind);
    if (ended === "end") return { kind, pipe, body, other: [] };
    const [next = "", rest] = firstWord(ended.slice("else".length).trim());
    if (next === "if" || next === "with") return { kind, pipe, body, other: [branch(next, rest, inRange)] };
    const { nodes: other, ended: last } = block(inRange, kind);
    if (last !== "end") throw failure("expected end; found {{else}}");
    return { kind, pipe, body, other };
  };
  return block(false, undefined).nodes;
}

export function failure(message: string): VarveError {
  return new VarveError("USAGE", `template parsing error: template: :1: ${message}`);
}

function firstWord(text: string): readonly [word: string | undefined, rest: string] {
  const match = /^[A-Za-z]+(?![\w.])/.exec(text);
  return match === null ? [undefined, text] : [match[0], text.slice(match[0].length).trim()];
}

interface Part {
  readonly kind: "text" | "action";
  readonly text: string;
}

/** Texts and actions in turn; `{{-` and `-}}` take the white space beside them. */
function splitActions(template: string): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  let trims = false;
  for (;;) {
    const open = template.indexOf("{{", at);
    let text = unescape(template.slice(at, open < 0 ? undefined : open));
    if (trims) text = text.trimStart();
    if (open < 0) return [...parts, { kind: "text", text }];
    const opens = /^\{\{-\s/.test(template.slice(open, open + 4));
    parts.push({ kind: "text", text: opens ? text.trimEnd() : text });
    const close = findClose(template, open + 2);
    let action = template.slice(open + (opens ? 3 : 2), close);
    trims = /\s-$/.test(action);
    if (trims) action = action.slice(0, -1);
    action = action.trim();
    if (!/^\/\*[^]*\*\/$/.test(action)) parts.push({ kind: "action", text: action });
    at = close + 2;
  }
}

/** Docker takes `\t` and `\n` in a template for the characters. */
function unescape(text: string): string {
  return text.replaceAll("\\t", "\t").replaceAll("\\n", "\n");
}

/** Where the action's `}}` is: not within a quoted string. */
function findClose(template: string, from: number): number {
  for (let at = from; at < template.length; at++) {
    const character = template[at];
    if (character === "}" && template[at + 1] === "}") return at;
    if (character !== '"' && character !== "`") continue;
    for (at++; at < template.length && template[at] !== character; at++) if (character === '"' && template[at] === "\\") at++;
    if (at >= template.length) throw failure(character === '"' ? "unterminated quoted string" : "unterminated raw quoted string");
  }
  throw failure(`unclosed action in ${template}`);
}

const tokenPattern =
  /\s+|(?<string>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?<number>[-+]?(?:0[xX][\da-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?))(?![\w.])|(?<variable>\$\w*)|(?<field>\.[A-Za-z_]\w*)|(?<word>[A-Za-z_]\w*)|(?<mark>:=|=|\||\(|\)|,|\.)/y;

interface Token {
  readonly kind: "string" | "number" | "variable" | "field" | "word" | "mark";
  readonly text: string;
  /** White space stands before it. */
  readonly apart: boolean;
}

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let apart = true;
  for (tokenPattern.lastIndex = 0; tokenPattern.lastIndex < text.length;) {
    const from = tokenPattern.lastIndex;
    const match = tokenPattern.exec(text);
    if (match === null) throw failure(`unexpected ${JSON.stringify(text.slice(from, from + 1))} in {{${text}}}`);
    const kinds = ["string", "number", "variable", "field", "word", "mark"] as const;
    const kind = kinds.find((name) => match.groups?.[name] !== undefined);
    if (kind !== undefined) tokens.push({ kind, text: match[0], apart });
    apart = kind === undefined;
  }
  return tokens;
}

function parsePipe(text: string, functions: ReadonlySet<string>): Pipe {
  const tokens = tokenize(text);
  let at = 0;
  const isMark = (mark: string): boolean => tokens[at]?.kind === "mark" && tokens[at]?.text === mark;

  const operand = (): Operand => {
    const token = tokens[at++];
    if (token === undefined) throw failure(`missing value for command in {{${text}}}`);
    let base: Operand["base"];
    const fields: string[] = [];
    if (token.kind === "string") base = { kind: "constant", value: unquote(token.text) };
    else if (token.kind === "number") base = { kind: "constant", value: Number(token.text) };
    else if (token.kind === "variable") base = { kind: "variable", name: token.text };
    else if (token.kind === "field") {
      base = { kind: "dot" };
      fields.push(token.text.slice(1));
    } else if (token.kind === "word") {
      if (token.text === "true" || token.text === "false") base = { kind: "constant", value: token.text === "true" };
      else if (token.text === "nil") base = { kind: "constant", value: null };
      else if (!functions.has(token.text)) throw failure(`function ${JSON.stringify(token.text)} not defined`);
      else base = { kind: "call", name: token.text };
    } else if (token.text === ".") base = { kind: "dot" };
    else if (token.text === "(") {
      base = { kind: "pipe", pipe: pipeline() };
      if (!isMark(")")) throw failure(`unclosed left paren in {{${text}}}`);
      at++;
    } else throw failure(`unexpected ${JSON.stringify(token.text)} in {{${text}}}`);
    for (let next = tokens[at]; next?.kind === "field" && !next.apart; next = tokens[at]) {
      fields.push(next.text.slice(1));
      at++;
    }
    return { base, fields };
  };
  const pipeline = (): Pipe => {
    const begun = at;
    const variables: string[] = [];
    while (tokens[at]?.kind === "variable") {
      variables.push(tokens[at++]?.text ?? "");
      if (isMark(",")) at++;
      else break;
    }
    const assigns = variables.length > 0 && (isMark(":=") || isMark("="));
    const declares = assigns && isMark(":=");
    if (assigns) at++;
    else {
      at = begun;
      variables.length = 0;
    }
    const commands: Operand[][] = [];
    do {
      if (commands.length > 0) at++;
      const command: Operand[] = [];
      while (at < tokens.length && !isMark("|") && !isMark(")")) command.push(operand());
      if (command.length === 0) throw failure(`missing value for command in {{${text}}}`);
      commands.push(command);
    } while (isMark("|"));
    return { variables, declares, commands, text };
  };
  const pipe = pipeline();
  if (at < tokens.length) throw failure(`unexpected right paren in {{${text}}}`);
  return pipe;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\u0007", b: "\b", f: "\f", v: "\v" };

/** The value of a Go string literal. */
function unquote(literal: string): string {
  const inner = literal.slice(1, -1);
  if (literal.startsWith("`")) return inner;
  return inner.replace(/\\(?:x([\da-f]{2})|u([\da-f]{4})|(.))/gi, (_, hex?: string, long?: string, plain = "") =>
    hex !== undefined || long !== undefined
      ? String.fromCodePoint(Number.parseInt(hex ?? long ?? "", 16))
      : (escapes[plain] ?? plain),
  );
}
