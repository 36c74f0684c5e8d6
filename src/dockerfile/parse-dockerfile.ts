import { VarveError, type SourceRange } from "../errors/index.ts";
import { checkInstruction } from "./check-instruction.ts";
import { refuseTrigger } from "./check-onbuild.ts";
import { createCheck } from "./check.ts";
import type { ArgInstruction, Dockerfile, FromInstruction, Instruction } from "./instructions.ts";
import { createSourceMap, type SourceMap } from "./lines.ts";
import { lintContinuations, lintKeywords, lintStageNames } from "./lint/file-rules.ts";
import { lintInstruction, lintWords } from "./lint/instruction-rules.ts";
import { createLinter, type Linter, type LintWarning } from "./lint/linter.ts";
import { defaultLintOptions, parseLintOptions, type LintOptions } from "./lint/options.ts";
import { parseSyntax } from "./parse-syntax.ts";
import { builderArgs } from "./predefined-args.ts";
import type { SyntaxTree } from "./syntax.ts";

/** What {@link parseDockerfile} answers. */
export interface ParsedDockerfile {
  readonly dockerfile: Dockerfile;
  readonly tree: SyntaxTree;
  /** What the rules found that need no evaluation; the frontend goes on with it. */
  readonly linter: Linter;
}

export interface ParseOptions {
  readonly file: string;
  /**
   * Lint options that take the place of the file's `# check=`: the value of BUILDKIT_DOCKERFILE_CHECK (A08). With false
   * nothing is linted and no options are read.
   */
  readonly check?: string | false | undefined;
  /** Hears of each lint warning at once, also of those before an error. */
  readonly onWarning?: ((warning: LintWarning) => void) | undefined;
}

/**
 * Parses and checks a whole Dockerfile. Every error is a `VarveError` with its place and the source; messages begin
 * with `dockerfile parse error on line N` where an instruction is at fault, and keep the words of BuildKit's that
 * people search for.
 *
 * Throws what `parseSyntax` and the instructions throw (all codes begin with DOCKERFILE_): EMPTY without any
 * instruction, NO_FROM when one but ARG stands before the first FROM or there is no FROM (P12), CHECK for lint options
 * that cannot be read.
 */
export function parseDockerfile(source: string | Uint8Array, options: ParseOptions): ParsedDockerfile {
  const { file } = options;
  const tree = parseSyntax(source, { file });
  const map = createSourceMap(file, tree.source);
  const linter = createLinter(readLintOptions(tree, map, options.check), options);
  lintContinuations(tree, linter);
  const wholeFile = map.range({ start: 0, end: tree.source.length });
  const globalArgs: ArgInstruction[] = [];
  const stages: { from: FromInstruction; index: number; instructions: Instruction[] }[] = [];
  for (const node of tree.instructions) {
    const prefix = `dockerfile parse error on line ${node.startLine}: `;
    const check = createCheck(node, { map, escape: tree.escape, prefix });
    const scoped = linter.within(node.docComment);
    lintWords(check, scoped);
    const instruction = checkInstruction(check);
    lintInstruction(instruction, scoped);
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
  lintStageNames(stages, linter);
  lintKeywords(stages, linter);
  const dockerfile: Dockerfile = {
    file,
    source: tree.source,
    escape: tree.escape,
    syntax: tree.directives.find((directive) => directive.name === "syntax")?.value,
    check: tree.directives.find((directive) => directive.name === "check")?.value,
    globalArgs,
    stages,
  };
  return { dockerfile, tree, linter };
}

/** The lint options of a file; those of the build win over those of the directive, whose value ends at a blank. */
function readLintOptions(tree: SyntaxTree, map: SourceMap, given: string | false | undefined): LintOptions {
  if (given === false) return { ...defaultLintOptions, skip: "all" };
  if (given !== undefined) return parseLintOptions(given, { name: builderArgs.check });
  const directive = tree.directives.find(({ name }) => name === "check");
  if (directive === undefined) return defaultLintOptions;
  return parseLintOptions(directive.value.split(" ")[0] ?? "", { name: "check options", where: map.range(directive.valueSpan) });
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
