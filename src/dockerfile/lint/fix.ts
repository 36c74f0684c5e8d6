import { encodeSource } from "../source-text.ts";
import type { InstructionNode, Span, SyntaxTree } from "../syntax.ts";
import { inCase, keywordCase } from "./file-rules.ts";
import { fixLegacyPair, fixMaintainer, fixPorts, fixStageWord, type Edit } from "./fix-instruction.ts";
import { wantedAs } from "./instruction-rules.ts";
import type { LintWarning } from "./linter.ts";
import { lintRules, type LintRule, type LintRuleName } from "./rules.ts";

/** A Dockerfile with some of its warnings put right. */
export interface FixedDockerfile {
  readonly bytes: Uint8Array;
  /** Whether anything was changed. */
  readonly changed: boolean;
}

/** As many rounds as edits can depend on each other, and then some. */
const maxRounds = 8;

/**
 * Puts right what can be without changing what the file builds, in the places of the warnings alone: the rest of the text
 * stays as it is, to the byte. With `unsafe` also what changes the image (MAINTAINER becomes a label). `lint` says what is
 * wrong with a text; it is asked again after each round, since one edit may call for another.
 */
export async function fixDockerfile(
  source: Uint8Array,
  options: {
    readonly unsafe?: boolean;
    /** Undefined when the text cannot be parsed: then nothing more is done. */
    readonly lint: (
      source: Uint8Array,
    ) => Promise<{ readonly tree: SyntaxTree; readonly warnings: readonly LintWarning[] } | undefined>;
  },
): Promise<FixedDockerfile> {
  let bytes = source;
  for (let round = 0; round < maxRounds; round++) {
    const found = await options.lint(bytes);
    if (found === undefined) break;
    const edits = planEdits(found.tree, found.warnings, options.unsafe === true);
    if (edits.length === 0) break;
    bytes = encodeSource(applyEdits(found.tree.source, edits), found.tree.bom);
  }
  return { bytes, changed: bytes !== source };
}

/** The edits for the warnings, in the order of the text; of two that touch the same place the first is taken. */
function planEdits(tree: SyntaxTree, warnings: readonly LintWarning[], unsafe: boolean): Edit[] {
  const edits = warnings.flatMap((warning) => {
    const { fix }: LintRule = lintRules[warning.rule];
    const fixer = findFixer(warning.rule);
    if (fixer === undefined || (fix === "unsafe" && !unsafe)) return [];
    const line = warning.where.startLine;
    const node = tree.instructions.find(({ startLine, endLine }) => startLine <= line && line <= endLine);
    return node === undefined ? [] : fixer(tree, node, warning);
  });
  const sorted = edits.toSorted((left, right) => left.span.start - right.span.start || left.span.end - right.span.end);
  const taken: Edit[] = [];
  for (const edit of sorted)
    if (edit.span.start >= (taken.at(-1)?.span.end ?? 0) && !isRepeated(edit, taken.at(-1))) taken.push(edit);
  return taken;
}

function isRepeated(edit: Edit, last: Edit | undefined): boolean {
  return last !== undefined && last.span.start === edit.span.start && last.span.end === edit.span.end;
}

type FixableRule = { [K in LintRuleName]: (typeof lintRules)[K] extends { readonly fix: string } ? K : never }[LintRuleName];

type Fixer = (tree: SyntaxTree, node: InstructionNode, warning: LintWarning) => readonly Edit[];

const fixers: Readonly<Record<FixableRule, Fixer>> = {
  StageNameCasing: (tree, node) => fixStageWord(tree, node, { place: 2, change: (word) => word.toLowerCase() }),
  FromAsCasing: (tree, node) => fixStageWord(tree, node, { place: 1, change: (word) => wantedAs(node.keyword, word) }),
  ConsistentInstructionCasing: fixKeyword,
  NoEmptyContinuation: (tree, node, { where }) => emptyLines(tree, node, where.startLine).map((span) => ({ span, text: "" })),
  LegacyKeyValueFormat: fixLegacyPair,
  MaintainerDeprecated: fixMaintainer,
  ExposeProtoCasing: (tree, node) => fixPorts(tree, node, "ExposeProtoCasing"),
  ExposeInvalidFormat: (tree, node) => fixPorts(tree, node, "ExposeInvalidFormat"),
};

function findFixer(rule: LintRuleName): Fixer | undefined {
  return Object.hasOwn(fixers, rule) ? fixers[rule as FixableRule] : undefined;
}

function fixKeyword(tree: SyntaxTree, node: InstructionNode): readonly Edit[] {
  const first = tree.instructions.findIndex(({ name }) => name === "FROM");
  const wanted = keywordCase(tree.instructions.slice(Math.max(first, 0)).map(({ keyword }) => keyword));
  const { start, end } = node.keywordSpan;
  // a keyword may be broken over lines
  if (tree.source.slice(start, end) !== node.keyword) return [];
  return [{ span: node.keywordSpan, text: inCase(node.keyword, wanted) }];
}

/** The empty lines between the first line of an instruction and the last that continues it. */
function emptyLines(tree: SyntaxTree, node: InstructionNode, lastLine: number): Span[] {
  const spans: Span[] = [];
  let start = node.span.start;
  for (let line = node.startLine; line <= lastLine && start < node.span.end; line++) {
    const feed = tree.source.indexOf("\n", start);
    const end = feed < 0 ? tree.source.length : feed + 1;
    if (start > node.span.start && /^[\t\v\f\r ]*\n?$/.test(tree.source.slice(start, end))) spans.push({ start, end });
    start = end;
  }
  return spans;
}

function applyEdits(source: string, edits: readonly Edit[]): string {
  let text = "";
  let at = 0;
  for (const edit of edits) {
    text += source.slice(at, edit.span.start) + edit.text;
    at = edit.span.end;
  }
  return text + source.slice(at);
}
