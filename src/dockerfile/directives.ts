import type { SourceRange } from "../errors/index.ts";
import { createSourceMap, dropLineEnd } from "./lines.ts";
import { decodeSource } from "./source-text.ts";
import type { DirectiveNode, Span } from "./syntax.ts";
import { skipSpace, trimSpace } from "./white-space.ts";

const known: ReadonlySet<string> = new Set(["syntax", "escape", "check"]);
const shape = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*([^\n]+)$/d;

/** Reads directive lines until the first line that is none (D04). */
export interface DirectiveReader {
  /** The directive on this line, or undefined; once undefined, always undefined. `text` is the line without its end. */
  read(text: string, start: number, span: Span): DirectiveNode | undefined;
}

export interface DirectiveOptions {
  /** What begins a directive line: `#`, or `//` for other languages (D01). */
  readonly comment: "#" | "//";
  /** Called for the second directive of a name, which also ends the directives. */
  readonly onRepeat: (message: string, span: Span) => void;
}

/** A reader for one file, in the order of its lines. */
export function createDirectiveReader(options: DirectiveOptions): DirectiveReader {
  const seen = new Set<string>();
  let done = false;
  let first = true;
  let afterShebang = false;
  return {
    read(text, start, span) {
      if (first && options.comment === "#" && text.startsWith("#!")) {
        first = false;
        afterShebang = true;
        return undefined;
      }
      first = false;
      if (done) return undefined;
      const indent = skipSpace(text);
      const lead = text.startsWith(options.comment, indent) ? skipSpace(text, indent + options.comment.length) : -1;
      const match = lead === -1 ? null : shape.exec(text.slice(lead));
      const name = match?.[1]?.toLowerCase() ?? "";
      // BuildKit's line parser ends the directives at a `#!` line; only its look for `syntax` and `check` goes past it
      if (match === null || !known.has(name) || (afterShebang && (name === "escape" || seen.has(name)))) {
        done = true;
        return undefined;
      }
      if (seen.has(name)) {
        done = true;
        options.onRepeat(`only one ${name} parser directive can be used`, span);
        return undefined;
      }
      seen.add(name);
      const from = match.indices![2]![0];
      const value = trimSpace(match[2]!);
      return {
        kind: "directive",
        span,
        name,
        value,
        valueSpan: { start: start + lead + from, end: start + lead + from + value.length },
      };
    },
  };
}

/** Which frontend a file asks for. */
export interface SyntaxRequest {
  /** The image reference: the first word. */
  readonly reference: string;
  /** The whole value, further words included. */
  readonly commandLine: string;
  readonly where: SourceRange;
}

/**
 * The `syntax` directive of a file in any language (D01): `# syntax=…`, `// syntax=…` or a JSON object with a `syntax`
 * text, after an optional `#!` line. Never throws; ask it before parsing, since a file for another frontend need not
 * be a Dockerfile at all. Undefined when the file asks for none.
 */
export function detectSyntax(source: string | Uint8Array, options: { readonly file: string }): SyntaxRequest | undefined {
  const { text } = decodeSource(source);
  const map = createSourceMap(options.file, text);
  const request = (value: string, span: Span): SyntaxRequest => ({
    reference: value.split(" ")[0] ?? "",
    commandLine: value,
    where: map.range(span),
  });
  const body = text.startsWith("#!") ? text.indexOf("\n") + 1 || text.length : 0;
  for (const comment of ["#", "//"] as const) {
    const reader = createDirectiveReader({ comment, onRepeat: () => undefined });
    for (let start = body; start < text.length;) {
      const end = text.indexOf("\n", start) + 1 || text.length;
      const line = dropLineEnd(text.slice(start, end));
      const directive = line.startsWith(comment) ? reader.read(line, start, { start, end }) : undefined;
      if (directive === undefined) break;
      if (directive.name === "syntax") return request(directive.value, directive.span);
      start = end;
    }
  }
  const json = parseObject(text.slice(body));
  return typeof json?.syntax === "string" ? request(json.syntax, { start: body, end: text.length }) : undefined;
}

function parseObject(text: string): { readonly syntax?: unknown } | undefined {
  if (!/^[\t\n\r ]*\{/.test(text)) return undefined;
  try {
    return JSON.parse(text) as { readonly syntax?: unknown };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
