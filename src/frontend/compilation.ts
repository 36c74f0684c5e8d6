import { expandWord, nonEnvironmentArgs, type Dockerfile, type Environment, type Linter } from "../dockerfile/index.ts";
import { VarveError, type SourceRange } from "../errors/index.ts";
import type { ProxyEnv } from "../llb/index.ts";
import type { Platform } from "../oci/index.ts";
import { lookupIn, type Variables } from "./environment.ts";
import { lintUnsetVariables, type IgnoredSources } from "./lint.ts";
import type { NamedContexts } from "./named-contexts.ts";
import type { ExternalImage, FrontendOptions, ResolvedImage } from "./options.ts";
import type { ArgFact } from "./outline.ts";
import type { ContextSource } from "./source-nodes.ts";
import type { StageState } from "./stage.ts";

/** What the global scope takes from outside of the file. */
export interface ScopeFacts {
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  readonly targetName: string | undefined;
}

/** What holds for one compilation of a Dockerfile as a whole. */
export interface Compilation {
  readonly dockerfile: Dockerfile;
  readonly options: FrontendOptions;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly targetPlatform: Platform;
  /** What the global scope is made of. */
  readonly scope: ScopeFacts;
  readonly globals: Variables;
  /** The arguments before the first FROM, by name. */
  readonly globalArgs: ReadonlyMap<string, ArgFact>;
  readonly proxyEnv: ProxyEnv | undefined;
  /** Seconds since 1970. */
  readonly epoch: number | undefined;
  readonly context: ContextSource;
  readonly namedContexts: NamedContexts;
  /** Sources of the named contexts that are folders and were used, by name. */
  readonly namedFolders: Map<string, ContextSource>;
  /** In the order of the file, then the images that are only read from. */
  readonly stages: StageState[];
  readonly stagesByName: Map<string, StageState>;
  /** What was asked of `resolveImage`, by platform and name. */
  readonly resolutions: Map<string, Promise<ResolvedImage>>;
  readonly externalImages: ExternalImage[];
  /** While an instruction is compiled: with what the comment above it adds. */
  readonly linter: Linter;
  readonly ignoredSources: IgnoredSources;
  readonly signal: AbortSignal;
}

/** A `FRONTEND_VALUE_INVALID` error at a place. */
export function invalidValue(message: string, where: SourceRange | undefined, hint?: string): VarveError {
  return new VarveError("FRONTEND_VALUE_INVALID", message, {
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** A `DOCKERFILE_NOT_SUPPORTED_YET` error: a later version of Varve will do it. */
export function notSupportedYet(feature: string, where: SourceRange | undefined): VarveError {
  return new VarveError("DOCKERFILE_NOT_SUPPORTED_YET", `${feature} is not supported yet`, where === undefined ? {} : { where });
}

/**
 * Expands a word of an instruction with the stage's variables, and warns of those that are not set (lint UndefinedVar).
 * Errors name `where`, warnings `instruction`, which is the same unless given.
 */
export function expandIn(
  stage: StageState,
  compilation: Compilation,
  where: SourceRange,
  instruction: SourceRange = where,
): (word: string) => string {
  const env = lookupIn(stage.variables);
  const warn = (unmatched: Iterable<string>): void => warnOfUnset(unmatched, { env, stage, compilation, where: instruction });
  return (word) => {
    try {
      const { value, unmatched } = expandWord(word, env, { escape: compilation.dockerfile.escape, where });
      warn(unmatched);
      return value;
    } catch (error) {
      const names = error instanceof VarveError ? error.details["unmatched"] : undefined;
      if (Array.isArray(names)) warn(names.map(String));
      throw error;
    }
  };
}

/** Adds a warning for each variable that is neither set nor declared with ARG. */
export function warnOfUnset(
  unmatched: Iterable<string>,
  { env, stage, compilation, where }: { env: Environment; stage: StageState; compilation: Compilation; where: SourceRange },
): void {
  const unknown = [...unmatched].filter(
    (name) => !nonEnvironmentArgs.has(name) && !stage.declaredArgs.some((arg) => arg.name === name),
  );
  lintUnsetVariables(unknown, { env, linter: compilation.linter, where, isBaseGuessed: stage.isBaseGuessed });
}

/** The lines of a place, for the source map. */
export function linesOf({ startLine, endLine }: SourceRange): number[] {
  return Array.from({ length: endLine - startLine + 1 }, (_, index) => startLine + index);
}
