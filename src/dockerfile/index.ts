/**
 * The Dockerfile language: source text to a lossless syntax tree, to checked instructions; variable expansion; the
 * mount fields of RUN; ignore files; the names that are predefined.
 *
 * Pure functions of texts. Nothing here reads files, knows an image or a stage graph, or decides what a build does.
 */
export type * from "./instructions.ts";
export type * from "./syntax.ts";
export { checkMount } from "./check-mount.ts";
export { instructionNames } from "./check-instruction.ts";
export { detectSyntax, type SyntaxRequest } from "./directives.ts";
export {
  expandRaw,
  expandWord,
  expandWords,
  maxExpandedLength,
  maxNesting,
  type Environment,
  type ExpandOptions,
  type Expansion,
} from "./expand-word.ts";
export { parseHeredocWord, type HeredocWord } from "./heredocs.ts";
export { fixDockerfile, type FixedDockerfile } from "./lint/fix.ts";
export { createLinter, type Linter, type LintWarning } from "./lint/linter.ts";
export { parseLintOptions, type LintOptions } from "./lint/options.ts";
export { findLintRule, lintRules, lintRuleUrl, type LintRule, type LintRuleName } from "./lint/rules.ts";
export { namesSecret } from "./lint/secret-names.ts";
export { createSourceMap, maxLineBytes, type SourceMap } from "./lines.ts";
export { nearest, type NearestOptions } from "../errors/index.ts";
export { parseDockerfile, parseTrigger, type ParsedDockerfile, type ParseOptions } from "./parse-dockerfile.ts";
export { parseSyntax, printSyntax, printSyntaxBytes } from "./parse-syntax.ts";
export * from "./predefined-args.ts";
export { cleanSubdir, isHttpUrl, lastPathPart, parseGitReference, type GitReference } from "./remote-url.ts";
