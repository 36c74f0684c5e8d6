import { VarveError, type SourceRange } from "../errors/index.ts";
import { checkInstruction } from "./check-instruction.ts";
import { refuseTrigger } from "./check-onbuild.ts";
import { createCheck } from "./check.ts";
import type { ArgInstruction, Dockerfile, FromInstruction, Instruction, Stage } from "./instructions.ts";
import { createSourceMap } from "./lines.ts";
import { parseSyntax } from "./parse-syntax.ts";
import type { SyntaxTree, SyntaxWarning } from "./syntax.ts";

/** What {@link parseDockerfile} answers. */
export interface ParsedDockerfile {
  readonly dockerfile: Dockerfile;
  readonly tree: SyntaxTree;
  readonly warnings: readonly SyntaxWarning[];
}

/**
 * Parses and checks a whole Dockerfile. Every error is a `VarveError` with its place and the source; messages begin
 * with `dockerfile parse error on line N` where an instruction is at fault, and keep the words of BuildKit's that
 * people search for.
 *
 * Throws what `parseSyntax` and the instructions throw (all codes begin with DOCKERFILE_): EMPTY without any
 * instruction, NO_FROM when one but ARG stands before the first FROM or there is no FROM (P12).
 */
export function parseDockerfile(source: string | Uint8Array, options: { readonly file: string }): ParsedDockerfile {
  const { file } = options;
  const tree = parseSyntax(source, { file });
  const map = createSourceMap(file, tree.source);
  const wholeFile = map.range({ start: 0, end: tree.source.length });
  const globalArgs: ArgInstruction[] = [];
  const stages: { from: FromInstruction; index: number; instructions: Instruction[] }[] = [];
  for (const node of tree.instructions) {
    const prefix = `dockerfile parse error on line ${node.startLine}: `;
    const instruction = checkInstruction(createCheck(node, { map, escape: tree.escape, prefix }));
    // a trigger's mistakes show where they can be put right: not in the build that inherits it
    if (instruction.kind === "onbuild") readTrigger(instruction.trigger, { file, where: instruction.where, prefix });
    const stage = stages.at(-1);
    if (instruction.kind === "from") stages.push({ from: instruction, index: stages.length, instructions: [] });
    else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === "arg") globalArgs.push(instruction);
    else {
      throw new VarveError("DOCKERFILE_NO_FROM", `no build stage in current context: ${node.name} stands before the first FROM`, {
        where: instruction.where,
        hint: "begin with FROM IMAGE; only ARG may come before it",
      });
    }
  }
  if (tree.instructions.length === 0) {
    throw new VarveError("DOCKERFILE_EMPTY", "file with no instructions", { where: wholeFile, hint: "begin with FROM IMAGE" });
  }
  if (stages.length === 0) {
    throw new VarveError("DOCKERFILE_NO_FROM", "dockerfile contains no stages to build", {
      where: wholeFile,
      hint: "add FROM IMAGE after the ARG lines",
    });
  }
  const dockerfile: Dockerfile = {
    file,
    source: tree.source,
    escape: tree.escape,
    syntax: tree.directives.find((directive) => directive.name === "syntax")?.value,
    check: tree.directives.find((directive) => directive.name === "check")?.value,
    globalArgs,
    stages,
  };
  return { dockerfile, tree, warnings: [...tree.warnings, ...warnOfDuplicateNames(stages)] };
}

/**
 * Parses the text of an ONBUILD trigger (I17), heredoc bodies included. `where` is the place that errors and the
 * instruction get: the trigger stands in no file of this build, but the FROM that brought it does.
 *
 * Throws DOCKERFILE_TRIGGER for several instructions or a forbidden one, and what the instruction throws.
 */
export function parseTrigger(text: string, options: { readonly file: string; readonly where?: SourceRange }): Instruction {
  return readTrigger(text, { ...options, prefix: "" });
}

interface TriggerOptions {
  readonly file: string;
  readonly where?: SourceRange;
  readonly prefix: string;
}

function readTrigger(text: string, { file, where, prefix }: TriggerOptions): Instruction {
  try {
    const tree = parseSyntax(text, { file });
    const [node, ...more] = tree.instructions;
    if (node === undefined || more.length > 0) {
      throw new VarveError("DOCKERFILE_TRIGGER", `${prefix}onbuild trigger should be a single expression`);
    }
    const check = createCheck(node, { map: createSourceMap(file, tree.source), escape: tree.escape, prefix, where });
    refuseTrigger(check, node.keyword);
    return checkInstruction(check);
  } catch (error) {
    if (error instanceof VarveError && where !== undefined) error.where = where;
    throw error;
  }
}

function warnOfDuplicateNames(stages: readonly Stage[]): SyntaxWarning[] {
  const seen = new Set<string>();
  const warnings: SyntaxWarning[] = [];
  for (const { from } of stages) {
    if (from.name === undefined) continue;
    if (seen.has(from.name)) {
      const message = `Duplicate stage name "${from.nameAsWritten}", stage names should be unique`;
      warnings.push({ rule: "DuplicateStageName", message, where: from.where });
    }
    seen.add(from.name);
  }
  return warnings;
}
