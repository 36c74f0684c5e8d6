import { expandWord, namesSecret, nearest, type Environment, type Linter } from "../dockerfile/index.ts";
import { isVarveError, type SourceRange } from "../errors/index.ts";
import { formatPlatform, normalizePlatform, parsePlatform, parseReference, type Platform } from "../oci/index.ts";
import { createPatternMatcher, type PatternMatcher } from "../tree/index.ts";
import { lookupIn, type Variables } from "./environment.ts";
import { quote } from "./go-text.ts";

/*
 * The lint rules that need evaluated values, base images or the ignore file. When each fires and what it says: BuildKit's
 * `dockerfile2llb/validations.go` and the places that call it; the rules that need only the text are in `dockerfile/lint`.
 */

function didYouMean(name: string | undefined, sigil = ""): string {
  return name === undefined ? "" : ` (did you mean ${sigil}${name}?)`;
}

/** Variables that are neither set nor declared (N11). With a guessed base only typing errors count: it may set any variable. */
export function lintUnsetVariables(
  unmatched: Iterable<string>,
  { env, linter, where, isBaseGuessed }: { env: Environment; linter: Linter; where: SourceRange; isBaseGuessed: boolean },
): void {
  for (const name of unmatched) {
    const near = nearest(name, env.names?.() ?? []);
    if (near === undefined && isBaseGuessed) continue;
    linter.run("UndefinedVar", `Usage of undefined variable '$${name}'${didYouMean(near, "$")}`, where);
  }
}

/** Variables of FROM that no ARG before it declares (N09). */
export function lintUnsetFromArgs(
  unmatched: Iterable<string>,
  { declared, linter, where }: { declared: ReadonlySet<string>; linter: Linter; where: SourceRange },
): void {
  for (const name of unmatched) {
    if (declared.has(name)) continue;
    linter.run("UndefinedArgInFrom", `FROM argument '${name}' is not declared${didYouMean(nearest(name, declared))}`, where);
  }
}

/** `FROM --platform`: the default spelled out (N15), and a constant (N18) unless the stage's name says what it is for. */
export function lintPlatformFlag(
  flag: string,
  facts: {
    readonly value: string;
    readonly matched: ReadonlySet<string>;
    readonly unmatched: ReadonlySet<string>;
    readonly globals: Variables;
    readonly stageName: string;
    readonly host: Platform;
    readonly linter: Linter;
    readonly where: SourceRange;
  },
): void {
  const { value, matched, unmatched, globals, stageName, host, linter, where } = facts;
  if (matched.size === 1 && unmatched.size === 0 && matched.has("TARGETPLATFORM") && value === globals.get("TARGETPLATFORM")) {
    const message = `Setting platform to predefined ${flag} in FROM is redundant as this is the default behavior`;
    linter.run("RedundantTargetPlatform", message, where);
  }
  if (matched.size > 0 || unmatched.size > 0) return;
  const platform = tryTo(() => parsePlatform(value, { host }));
  if (platform === undefined || stageName.includes(platform.os) || stageName.includes(platform.architecture)) return;
  linter.run("FromPlatformFlagConstDisallowed", `FROM --platform flag should not use constant value ${quote(value)}`, where);
}

/** Bases whose names are no image names when no build argument is given (N17). `defaults`: the global arguments' defaults. */
export function lintDefaultBases(
  stages: readonly { readonly from: { readonly base: string; readonly where: SourceRange } }[],
  { defaults, escape, linter }: { defaults: Variables; escape: "\\" | "`"; linter: Linter },
): void {
  for (const {
    from: { base, where },
  } of stages) {
    const expansion = tryTo(() => expandWord(base, lookupIn(defaults), { escape }));
    // a word that cannot be expanded fails the build itself
    if (expansion === undefined) return;
    if (tryTo(() => parseReference(expansion.value)) !== undefined) continue;
    linter.run("InvalidDefaultArgInFrom", `Default value for ARG ${base} results in empty or invalid base image name`, where);
  }
}

/** The base is for another machine than the one that was asked for (N14). */
export function lintBasePlatform(
  base: string,
  { actual, expected, linter, where }: { actual: Platform; expected: Platform; linter: Linter; where: SourceRange },
): void {
  if (actual.os === expected.os && actual.architecture === expected.architecture) return;
  const name = (platform: Platform): string => quote(formatPlatform(normalizePlatform(platform)));
  const message = `Base image ${base} was pulled with platform ${name(actual)}, expected ${name(expected)} for current build`;
  linter.run("InvalidBaseImagePlatform", message, where);
}

/** The name of an ARG or ENV says that it holds a secret (N16). */
export function lintSecretName(
  name: string,
  { instruction, linter, where }: { instruction: "ARG" | "ENV"; linter: Linter; where: SourceRange },
): void {
  if (!namesSecret(name)) return;
  const message = `Do not use ARG or ENV instructions for sensitive data (${instruction} ${quote(name)})`;
  linter.run("SecretsUsedInArgOrEnv", message, where);
}

/** `ENV key value` (N13). */
export function lintLegacyPair(keyword: string, { linter, where }: { linter: Linter; where: SourceRange }): void {
  linter.run(
    "LegacyKeyValueFormat",
    `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`,
    where,
  );
}

/** CMD or ENTRYPOINT in the default shell (N07). */
export function lintShellForm(keyword: string, { linter, where }: { linter: Linter; where: SourceRange }): void {
  const message = `JSON arguments recommended for ${keyword} to prevent unintended behavior related to OS signals`;
  linter.run("JSONArgsRecommended", message, where);
}

/** An instruction that takes the place of an earlier one, which is the one to report (N12). */
export function lintRepeated(keyword: string, { linter, earlier }: { linter: Linter; earlier: SourceRange }): void {
  const message = `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`;
  linter.run("MultipleInstructionsDisallowed", message, earlier);
}

/** The first WORKDIR of a chain of stages, when it is relative (N10). */
export function lintWorkdir(path: string, { linter, where }: { linter: Linter; where: SourceRange }): void {
  if (path.startsWith("/")) return;
  linter.run(
    "WorkdirRelativePath",
    `Relative workdir ${quote(path)} can have unexpected results if the base image changes`,
    where,
  );
}

/** A port of EXPOSE with its protocol in upper case (N21), with an address or a port of the host (N22). */
export function lintPort(
  port: string,
  { protocol, isMapping, linter, where }: { protocol: string; isMapping: boolean; linter: Linter; where: SourceRange },
): void {
  if (protocol !== protocol.toLowerCase()) {
    linter.run("ExposeProtoCasing", `Defined protocol '${port}' in EXPOSE instruction should be lowercase`, where);
  }
  if (!isMapping) return;
  const message = `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`;
  linter.run("ExposeInvalidFormat", message, where);
}

/** Finds sources of COPY and ADD that the ignore file leaves out (N19). */
export interface IgnoredSources {
  readonly lint: (source: string, options: { kind: "copy" | "add"; linter: Linter; where: SourceRange }) => void;
}

/** Says nothing where a `!` pattern takes something back: a folder may then be left out and a file in it not. */
export function createIgnoredSources(patterns: readonly string[]): IgnoredSources {
  let matcher: PatternMatcher | undefined;
  return {
    lint(source, { kind, linter, where }) {
      if (patterns.length === 0) return;
      matcher ??= createPatternMatcher(patterns);
      const path = cleanSource(source);
      if (matcher.hasNegations || !matcher.matches(path)) return;
      const message = `Attempting to ${kind === "copy" ? "Copy" : "Add"} file ${quote(path)} that is excluded by .dockerignore`;
      linter.run("CopyIgnoredFile", message, where);
    },
  };
}

/** Go's `filepath.Clean`. */
function cleanSource(path: string): string {
  const parts: string[] = [];
  const isAbsolute = path.startsWith("/");
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !isAbsolute) parts.push(part);
  }
  return (isAbsolute ? "/" : "") + parts.join("/") || ".";
}

function tryTo<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isVarveError(error)) return undefined;
    throw error;
  }
}
