import { VarveError, type SourceRange } from "../errors/index.ts";
import { createDirectiveReader } from "./directives.ts";
import { chompTabs, findHeredocs, mayHaveHeredocs, type HeredocWord } from "./heredocs.ts";
import { joinLines } from "./join-lines.ts";
import { createSourceMap, splitLines, type SourceLine, type SourceMap } from "./lines.ts";
import { decodeSource, encodeSource } from "./source-text.ts";
import type { CommentNode, DirectiveNode, HeredocNode, InstructionNode, SyntaxPart, SyntaxTree } from "./syntax.ts";
import { skipSpace, trimSpace } from "./white-space.ts";
import { splitCommand } from "./word-split.ts";

/**
 * Parses a Dockerfile into its lossless tree: lines, directives, comments, continuations and heredocs, but not the
 * meaning of any instruction, so that unknown instructions pass. `source` is text or UTF-8 bytes.
 *
 * Throws DOCKERFILE_LINE_TOO_LONG, DOCKERFILE_DIRECTIVE, DOCKERFILE_HEREDOC and, for bytes, DOCKERFILE_ENCODING when
 * an instruction is not UTF-8.
 */
export function parseSyntax(source: string | Uint8Array, options: { readonly file: string }): SyntaxTree {
  const { file } = options;
  const { text, bom, broken } = decodeSource(source);
  const map = createSourceMap(file, text);
  const lines = splitLines(text, file);
  const parts: SyntaxPart[] = [];
  const emptyContinuations: SourceRange[] = [];
  let escape: "\\" | "`" = "\\";
  let docComment: string[] = [];
  const directives = createDirectiveReader({
    comment: "#",
    onRepeat: (message, span) => {
      throw new VarveError("DOCKERFILE_DIRECTIVE", message, { where: map.range(span) });
    },
  });

  for (let index = 0; index < lines.length;) {
    const line = lines[index]!;
    const directive = directives.read(line.text, line.start, { start: line.start, end: line.end });
    if (directive !== undefined) {
      if (directive.name === "escape") escape = readEscape(directive, map);
      parts.push(directive);
      index++;
      continue;
    }
    const comment = readComment(line);
    if (comment !== undefined) {
      // BuildKit takes the first character off, whatever it is: the # of an indented comment stays in its text
      const said = line.text.startsWith("#") ? comment.text : trimSpace(line.text.slice(1)).toWellFormed();
      if (said === "") docComment = [];
      else docComment.push(said);
      parts.push(comment);
      index++;
      continue;
    }
    if (skipSpace(line.text) === line.text.length) {
      const last = parts.at(-1);
      if (last?.kind === "blank") parts[parts.length - 1] = { kind: "blank", span: { start: last.span.start, end: line.end } };
      else parts.push({ kind: "blank", span: { start: line.start, end: line.end } });
      index++;
      continue;
    }
    const { node, next, emptyLineBefore } = readInstruction({ text, lines, index, escape, docComment, map });
    if (emptyLineBefore !== undefined) emptyContinuations.push(map.range(emptyLineBefore));
    if (broken) refuseBrokenText(node, text, map);
    parts.push(node);
    docComment = [];
    index = next;
  }

  return {
    file,
    source: text,
    bom,
    escape,
    directives: parts.filter((part) => part.kind === "directive"),
    parts,
    instructions: parts.filter((part) => part.kind === "instruction"),
    emptyContinuations,
  };
}

/** The text of a tree, byte order mark included. */
export function printSyntax(tree: SyntaxTree): string {
  return (tree.bom ? "\ufeff" : "") + tree.parts.map((part) => tree.source.slice(part.span.start, part.span.end)).join("");
}

/** The bytes of a tree: exactly those it was parsed from, also where comments were not UTF-8. */
export function printSyntaxBytes(tree: SyntaxTree): Uint8Array {
  return encodeSource(printSyntax({ ...tree, bom: false }), tree.bom);
}

interface InstructionStart {
  readonly text: string;
  readonly lines: readonly SourceLine[];
  readonly index: number;
  readonly escape: "\\" | "`";
  readonly docComment: readonly string[];
  readonly map: SourceMap;
}

interface InstructionRead {
  readonly node: InstructionNode;
  /** Index of the line after it. */
  readonly next: number;
  /** The last of its joined lines when an empty one stood between them (P06): there BuildKit reports it. */
  readonly emptyLineBefore: SourceLine | undefined;
}

/** Reads the instruction that begins at `lines[index]`. */
function readInstruction(from: InstructionStart): InstructionRead {
  const { lines, index, escape, map } = from;
  const joined = joinLines(lines, index, escape);
  const words = splitCommand(joined.text, escape);
  const span = { start: lines[index]!.start, end: lines[joined.next - 1]!.end };
  const where = map.range(span);
  const at = (offset: number): number => joined.offsets[offset]!;
  const endOf = (offset: number): number => (offset === 0 ? at(0) : at(offset - 1) + 1);
  const { heredocs, next } = mayHaveHeredocs(joined.text, escape)
    ? readHeredocs({ ...from, words: findHeredocs(joined.text, { where }), next: joined.next })
    : { heredocs: [], next: joined.next };
  const node: InstructionNode = {
    kind: "instruction",
    span: { start: span.start, end: lines[next - 1]!.end },
    startLine: lines[index]!.number,
    endLine: lines[next - 1]!.number,
    keyword: words.keyword.text,
    name: words.keyword.text.toUpperCase(),
    keywordSpan: { start: at(words.keyword.start), end: endOf(words.keyword.end) },
    flags: words.flags.map((flag) => {
      const equals = flag.text.indexOf("=");
      return {
        name: equals === -1 ? flag.text.slice(2) : flag.text.slice(2, equals),
        value: equals === -1 ? undefined : flag.text.slice(equals + 1),
        span: { start: at(flag.start), end: endOf(flag.end) },
      };
    }),
    rest: words.rest.text,
    original: trimSpace(joined.text),
    line: joined.text,
    restOffsets: [...joined.offsets.slice(words.rest.start, words.rest.end), endOf(words.rest.end)],
    heredocs,
    docComment: from.docComment,
  };
  return { node, next, emptyLineBefore: joined.emptyContinuation ? lines[joined.next - 1] : undefined };
}

/** Reads the bodies of heredocs, from `lines[next]` on (H02, H07). */
function readHeredocs(from: InstructionStart & { readonly words: readonly HeredocWord[]; readonly next: number }): {
  heredocs: HeredocNode[];
  next: number;
} {
  const { text, lines, map } = from;
  const heredocs: HeredocNode[] = [];
  let next = from.next;
  for (const word of from.words) {
    const bodyStart = lines[next - 1]!.end;
    let end = next;
    while (end < lines.length && closing(lines[end]!.text, word.chomp) !== word.name) end++;
    const closer = lines[end];
    if (closer === undefined) {
      throw new VarveError("DOCKERFILE_HEREDOC", `unterminated heredoc: no line holds only ${word.name}`, {
        where: map.range({ start: lines[from.index]!.start, end: text.length }),
        hint: `close it with a line that is exactly ${word.name}${word.chomp ? " (tabs before it are fine)" : ""}`,
      });
    }
    const rawContent = text.slice(bodyStart, closer.start);
    heredocs.push({
      ...word,
      content: word.chomp ? chompTabs(rawContent) : rawContent,
      rawContent,
      bodySpan: { start: bodyStart, end: closer.start },
    });
    next = end + 1;
  }
  return { heredocs, next };
}

function closing(line: string, chomp: boolean): string {
  return chomp ? line.replace(/^\t+/, "") : line;
}

function readComment(line: SourceLine): CommentNode | undefined {
  const lead = skipSpace(line.text);
  if (line.text[lead] !== "#") return undefined;
  return {
    kind: "comment",
    span: { start: line.start, end: line.end },
    text: trimSpace(line.text.slice(lead + 1)).toWellFormed(),
  };
}

function readEscape(directive: DirectiveNode, map: SourceMap): "\\" | "`" {
  if (directive.value === "\\" || directive.value === "`") return directive.value;
  throw new VarveError("DOCKERFILE_DIRECTIVE", `invalid escape token '${directive.value}' does not match \` or \\`, {
    where: map.range(directive.valueSpan),
  });
}

function refuseBrokenText(node: InstructionNode, text: string, map: SourceMap): void {
  const broken = /[\udc80-\udcff]/u.exec(text.slice(node.span.start, node.span.end));
  if (broken === null) return;
  const start = node.span.start + broken.index;
  throw new VarveError("DOCKERFILE_ENCODING", `${node.name} holds bytes that are not UTF-8`, {
    where: map.range({ start, end: start + 1 }),
    hint: "save the file as UTF-8",
  });
}
