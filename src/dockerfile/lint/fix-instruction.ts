import type { InstructionNode, Span, SyntaxTree } from "../syntax.ts";
import { splitAtBlanks, splitQuoted, type Word } from "../word-split.ts";

/** A change of the source: what stands at `span` gives way to `text`. */
export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** A word of FROM by its number, when it stands on one line. */
export function fixStageWord(
  tree: SyntaxTree,
  node: InstructionNode,
  { place, change }: { readonly place: number; readonly change: (word: string) => string },
): readonly Edit[] {
  const word = splitAtBlanks(node.rest)[place];
  const span = word && spanOf(tree, node, word);
  return word === undefined || span === undefined ? [] : [{ span, text: change(word.text) }];
}

/**
 * `ENV key value` becomes `ENV key=value`, in double quotes where the value has several words. Values that have words as
 * well as quotes or escapes stay, and so does a pair whose key and value stand on different lines.
 */
export function fixLegacyPair(tree: SyntaxTree, node: InstructionNode): readonly Edit[] {
  if (node.name !== "ENV" && node.name !== "LABEL") return [];
  const match = /^([\w.\-/]+)([\t\v\f\r ]+)([^]+)$/.exec(node.rest);
  const [, key = "", gap = "", value = ""] = match ?? [];
  const gapSpan = spanOf(tree, node, { start: key.length, end: key.length + gap.length });
  if (match === null || gapSpan === undefined) return [];
  const words = splitQuoted(value, tree.escape);
  if (words.length === 1 && words[0]?.text === value) return [{ span: gapSpan, text: "=" }];
  if (/["']/.test(value) || value.includes(tree.escape)) return [];
  const end = (node.restOffsets[node.rest.length - 1] ?? 0) + 1;
  return [
    { span: gapSpan, text: '="' },
    { span: { start: end, end }, text: '"' },
  ];
}

/** `MAINTAINER name` becomes a label. The label's value is expanded, the name was not. */
export function fixMaintainer(tree: SyntaxTree, node: InstructionNode): readonly Edit[] {
  const span = spanOf(tree, node, { start: 0, end: node.rest.length });
  if (span === undefined || node.name !== "MAINTAINER") return [];
  const value = Array.from(
    node.rest,
    (character) => (character === '"' || character === "$" || character === tree.escape ? tree.escape : "") + character,
  );
  const keyword = node.keyword === node.keyword.toLowerCase() ? "label" : "LABEL";
  return [
    { span: node.keywordSpan, text: keyword },
    { span, text: `org.opencontainers.image.authors="${value.join("")}"` },
  ];
}

const literalPort = /^[\d.:\-a-f[\]]+(?:\/[a-z]+)?$/i;

/** The ports of EXPOSE without what the rule is about. Only where the history, which has them sorted, stays the same. */
export function fixPorts(
  tree: SyntaxTree,
  node: InstructionNode,
  rule: "ExposeProtoCasing" | "ExposeInvalidFormat",
): readonly Edit[] {
  if (node.name !== "EXPOSE") return [];
  const words = splitAtBlanks(node.rest);
  const fix = (text: string): string => {
    if (!literalPort.test(text)) return text;
    const slash = text.indexOf("/");
    const [port, protocol] = slash < 0 ? [text, ""] : [text.slice(0, slash), text.slice(slash)];
    return rule === "ExposeProtoCasing" ? port + protocol.toLowerCase() : port.slice(port.lastIndexOf(":") + 1) + protocol;
  };
  const before = words.map(({ text }) => text).sort();
  const after = words.map(({ text }) => fix(text)).sort();
  if (before.some((text, index) => fix(text) !== after[index])) return [];
  return words.flatMap((word) => {
    const span = spanOf(tree, node, word);
    const text = fix(word.text);
    return span === undefined || text === word.text ? [] : [{ span, text }];
  });
}

/** Where a piece of the rest stands in the source; undefined when it is broken over lines. */
function spanOf(tree: SyntaxTree, node: InstructionNode, { start, end }: Pick<Word, "start" | "end">): Span | undefined {
  const first = node.restOffsets[start];
  const last = node.restOffsets[end - 1];
  if (first === undefined || last === undefined || end <= start || last - first !== end - 1 - start) return undefined;
  return { start: first, end: last + 1 };
}
