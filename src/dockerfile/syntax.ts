import type { SourceRange } from "../errors/index.ts";

/** A half-open range of UTF-16 offsets into the source text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * The lossless syntax tree: `parts` tile the whole source text without gap or overlap, so printing the parts in order
 * gives the source back, byte for byte.
 */
export interface SyntaxTree {
  readonly file: string;
  readonly source: string;
  /** True when the text began with a byte order mark (not part of `source`). */
  readonly bom: boolean;
  /** The escape and continuation character: `\` or `` ` ``. */
  readonly escape: "\\" | "`";
  readonly directives: readonly DirectiveNode[];
  readonly parts: readonly SyntaxPart[];
  /** The instructions among `parts`, in order. */
  readonly instructions: readonly InstructionNode[];
  /** Where lines end a continuation that has an empty line in it (P06). */
  readonly emptyContinuations: readonly SourceRange[];
}

export type SyntaxPart = BlankNode | CommentNode | DirectiveNode | InstructionNode;

/** Empty lines, as many as follow each other. */
export interface BlankNode {
  readonly kind: "blank";
  readonly span: Span;
}

/** One comment line. `text` is what follows `#`, trimmed; bytes that were not UTF-8 are U+FFFD in it. */
export interface CommentNode {
  readonly kind: "comment";
  readonly span: Span;
  readonly text: string;
}

/** A parser directive: `# name=value`. */
export interface DirectiveNode {
  readonly kind: "directive";
  readonly span: Span;
  readonly name: string;
  readonly value: string;
  readonly valueSpan: Span;
}

/** One instruction with all its lines: continuations, comments and empty lines between them, and heredoc bodies. */
export interface InstructionNode {
  readonly kind: "instruction";
  readonly span: Span;
  /** First and last line, from 1, heredoc bodies included. */
  readonly startLine: number;
  readonly endLine: number;
  /** As written. */
  readonly keyword: string;
  /** In upper case. */
  readonly name: string;
  readonly keywordSpan: Span;
  readonly flags: readonly FlagNode[];
  /** What follows keyword and flags, continuations joined and comments within removed, trimmed: what BuildKit calls the rest. */
  readonly rest: string;
  /** The instruction on one line as BuildKit's history shows it: keyword, flags and rest, continuations joined. */
  readonly original: string;
  /** `original` before white space was taken off its ends. */
  readonly line: string;
  /** Maps an offset in `rest` to the offset in the source. Same length as `rest`, plus one for its end. */
  readonly restOffsets: readonly number[];
  readonly heredocs: readonly HeredocNode[];
  /** Comment lines above, nearest last (P14), without `#`: an empty comment ends them, a blank line does not. */
  readonly docComment: readonly string[];
}

/** `--name` or `--name=value`, quotes and escapes taken off. */
export interface FlagNode {
  readonly name: string;
  readonly value: string | undefined;
  readonly span: Span;
}

/**
 * A here-document. `content` is what a file made of it holds: leading tabs removed for `<<-`. `rawContent` is the body
 * as written, which RUN hands to the shell when the command has more than the heredoc, and ONBUILD stores.
 */
export interface HeredocNode {
  readonly name: string;
  readonly fileDescriptor: number;
  /** False when the delimiter was quoted: then variables in the body stay as they are. */
  readonly expand: boolean;
  /** `<<-`: leading tabs are removed. */
  readonly chomp: boolean;
  readonly content: string;
  readonly rawContent: string;
  /** The body without the line of the closing delimiter. */
  readonly bodySpan: Span;
}
