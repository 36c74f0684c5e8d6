import { VarveError, type ErrorCode, type SourceRange } from "../errors/index.ts";
import type { CommandLine, InstructionBase } from "./instructions.ts";
import { parseJsonList } from "./json-list.ts";
import type { SourceMap } from "./lines.ts";
import type { InstructionNode, Span } from "./syntax.ts";
import type { Word } from "./word-split.ts";

/** What the checks of one instruction share. */
export interface Check {
  readonly node: InstructionNode;
  readonly escape: "\\" | "`";
  /** What every checked instruction has. */
  readonly base: InstructionBase;
  /** The error to throw; it names the whole instruction unless `span` is nearer. */
  fail(code: ErrorCode, message: string, options?: { readonly span?: Span; readonly hint?: string }): VarveError;
  /** The range of a span of the source. */
  range(span: Span): SourceRange;
  /** The range of a word of the rest. */
  rangeOfRest(word: Pick<Word, "start" | "end">): SourceRange;
}

export interface CheckOptions {
  readonly map: SourceMap;
  readonly escape: "\\" | "`";
  /** Stands before every message. */
  readonly prefix: string;
  /** The one place of everything, for texts that stand in no file of the user. */
  readonly where?: SourceRange | undefined;
}

/** Begins the check of one instruction. */
export function createCheck(node: InstructionNode, options: CheckOptions): Check {
  const range = (span: Span): SourceRange => options.where ?? options.map.range(span);
  const whole = { start: node.keywordSpan.start, end: node.span.end };
  return {
    node,
    escape: options.escape,
    base: { where: range(whole), keyword: node.keyword, original: node.original, docComment: node.docComment },
    fail(code, message, { span, hint } = {}) {
      return new VarveError(code, options.prefix + message, {
        where: range(span ?? whole),
        ...(hint === undefined ? {} : { hint }),
      });
    },
    range,
    rangeOfRest({ start, end }) {
      const offsets = node.restOffsets;
      return range({ start: offsets[start]!, end: end > start ? offsets[end - 1]! + 1 : offsets[start]! });
    },
  };
}

/** The rest as a JSON array of texts; undefined for shell form (P08). Throws DOCKERFILE_SYNTAX for other arrays. */
export function readJsonList(check: Check, text = check.node.rest): readonly string[] | undefined {
  const list = parseJsonList(text);
  if (list === undefined) return undefined;
  if (list.every((item) => typeof item === "string")) return list;
  throw check.fail("DOCKERFILE_SYNTAX", "when using JSON array syntax, arrays must be comprised of strings only", {
    hint: "put every item into double quotes",
  });
}

/** The rest in exec or shell form. */
export function readCommandLine(check: Check): CommandLine {
  const args = readJsonList(check);
  return args === undefined ? { form: "shell", text: check.node.rest } : { form: "exec", args };
}

/** The rest as the one argument it is (P10). */
export function readWholeLine(check: Check): string {
  if (check.node.rest === "") throw check.fail("DOCKERFILE_SYNTAX", `${check.node.name} requires exactly one argument`);
  return check.node.rest;
}

/** The error of an instruction that has nothing to work on. */
export function needsArgument(check: Check): VarveError {
  return check.fail("DOCKERFILE_SYNTAX", `${check.node.name} requires at least one argument`);
}
