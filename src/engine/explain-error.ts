import { posix } from "node:path";
import { createSourceMap, nearest, parseSyntax, type InstructionNode, type SourceMap } from "../dockerfile/index.ts";
import { isVarveError, VarveError, type SourceRange } from "../errors/index.ts";
import { openDirectoryTree } from "../tree/index.ts";
import type { BuildInput } from "./build-input.ts";

/**
 * Says more of a failure than the part that failed can know: the word of the Dockerfile that is meant, the line of the
 * ignore file, the path or the stage that was probably meant. Every other error passes as it is.
 */
export function explainError(error: unknown, input: BuildInput): unknown {
  if (!isVarveError(error)) return error;
  if (error.code === "TREE_NOT_FOUND" && typeof error.details["path"] === "string")
    return explainMissingPath(error, error.details["path"], input);
  if (error.code.startsWith("REGISTRY_") || error.code === "REFERENCE_INVALID") return explainMissingStage(error, input);
  return error;
}

function explainMissingPath(error: VarveError, path: string, input: BuildInput): VarveError {
  const found = findInstruction(error.where, input);
  const word = found && wordsOf(found.node).find(({ text }) => posix.join("/", text) === posix.join("/", path));
  const where = found && word ? found.map.range(word.span) : error.where;
  const fromContext =
    found !== undefined && /^(?:COPY|ADD)$/.test(found.node.name) && !found.node.flags.some(({ name }) => name === "from");
  return rewrite(error, where, hintFor(error, path, fromContext ? input : undefined) ?? error.hint);
}

function hintFor({ details }: VarveError, path: string, input: BuildInput | undefined): string | undefined {
  const { excludedBy, nearest: parent, names } = details;
  if (typeof excludedBy === "string") {
    const line = input?.ignoreRules.findLast(({ pattern }) => pattern === excludedBy)?.line;
    const place =
      input?.ignoreFile === undefined ? "the ignore file" : `${input.ignoreFile}${line === undefined ? "" : `:${line}`}`;
    return `the pattern ${JSON.stringify(excludedBy)} (${place}) excludes it; \`!${path.slice(1)}\` below it would take it back`;
  }
  if (typeof parent !== "string" || !Array.isArray(names)) return undefined;
  const [missing = "", ...rest] = posix.relative(parent, posix.join("/", path)).split("/");
  const similar = nearest(missing, names.map(String), { caseSensitive: false });
  if (similar !== undefined) return `did you mean ${posix.join(parent, similar, ...rest).slice(1)}?`;
  const elsewhere =
    input?.contextPath === undefined ? undefined : findByName(input.contextPath, posix.basename(path), input.ignorePatterns);
  if (elsewhere !== undefined) return `did you mean ${elsewhere}? Paths start at the root of the context`;
  const siblings = names.slice(0, maxListed).join(", ") + (names.length > maxListed ? ", …" : "");
  return `the nearest path that exists is ${JSON.stringify(parent)}${siblings === "" ? "" : ` with ${siblings}`}`;
}

const maxListed = 6;
/** Entries of the context that are looked at for a file of the same name. */
const maxSearched = 10_000;

/** The nearest file of this name in the context, folder by folder from its root. */
function findByName(contextPath: string, name: string, exclude: readonly string[]): string | undefined {
  const tree = openDirectoryTree(contextPath, { exclude, resetOwner: true });
  try {
    const folders = ["/"];
    for (let searched = 0, folder = folders.shift(); folder !== undefined && searched < maxSearched; folder = folders.shift()) {
      for (const entry of tree.children(folder)) {
        searched += 1;
        if (posix.basename(entry.path) === name) return entry.path.slice(1);
        if (entry.type === "directory") folders.push(entry.path);
      }
    }
    return undefined;
  } finally {
    tree.close();
  }
}

/** An image that no registry has may be a stage with a slip in its name. */
function explainMissingStage(error: VarveError, input: BuildInput): VarveError {
  const found = findInstruction(error.where, input);
  if (found === undefined) return error;
  const { node, map, nodes } = found;
  const from = node.flags.find(({ name }) => name === "from");
  const name = node.name === "FROM" ? /^\S+/.exec(node.rest)?.[0] : from?.value;
  if (name === undefined || /[/:@$]/.test(name)) return error;
  const stages = nodes.filter((other) => other.name === "FROM").flatMap(({ rest }) => /\sAS\s+(\S+)$/i.exec(rest)?.[1] ?? []);
  const stage = nearest(name, stages, { caseSensitive: false });
  const span = from?.span ?? wordsOf(node)[0]?.span;
  const hint =
    stage === undefined
      ? error.hint
      : `no stage is called ${name}, so it was taken for an image; did you mean the stage ${stage}?`;
  return rewrite(error, span === undefined ? error.where : map.range(span), hint);
}

interface Found {
  readonly node: InstructionNode;
  readonly nodes: readonly InstructionNode[];
  readonly map: SourceMap;
}

function findInstruction(where: SourceRange | undefined, input: BuildInput): Found | undefined {
  if (where === undefined || where.file !== input.dockerfileName) return undefined;
  const tree = parseSyntax(input.dockerfile, { file: input.dockerfileName });
  const node = tree.instructions.find(({ startLine, endLine }) => startLine <= where.startLine && where.startLine <= endLine);
  return node && { node, nodes: tree.instructions, map: createSourceMap(input.dockerfileName, tree.source) };
}

/** The words after the flags with their places, quotes and the brackets of the JSON form taken off; then values of flags. */
function wordsOf({
  rest,
  restOffsets,
  flags,
}: InstructionNode): { readonly text: string; readonly span: { readonly start: number; readonly end: number } }[] {
  const words = [...rest.matchAll(/[^\s",'[\]]+/g)].map(({ 0: text, index }) => ({
    text,
    span: { start: restOffsets[index] ?? 0, end: (restOffsets[index + text.length - 1] ?? 0) + 1 },
  }));
  const values = flags.flatMap(({ value = "", span }) =>
    value.split(",").map((field) => ({ text: field.slice(field.indexOf("=") + 1), span })),
  );
  return [...words, ...values];
}

function rewrite(error: VarveError, where: SourceRange | undefined, hint: string | undefined): VarveError {
  const { code, message, cause, details } = error;
  return new VarveError(code, message, {
    cause,
    details,
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
  });
}
