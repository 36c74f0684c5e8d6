import { VarveError, type SourceRange } from "../../errors/index.ts";
import { parseBoolean } from "../numbers.ts";

/** Which rules fire, and whether a warning fails the build. */
export interface LintOptions {
  /** Rules that do not fire; `all` silences all but the experimental ones (N30). Names are case-sensitive. */
  readonly skip: "all" | readonly string[];
  /** Experimental rules that do fire (N31). */
  readonly experimental: "all" | readonly string[];
  /** Any warning fails the build (N32). */
  readonly error: boolean;
}

/** All rules but the experimental ones, and no failure. */
export const defaultLintOptions: LintOptions = { skip: [], experimental: [], error: false };

/** As many options as are told apart; what follows belongs to the last one. */
const maxOptions = 3;

/**
 * Reads `skip=A,B;experimental=C;error=true` (N30 to N33): the value of the `check` directive, of a `# check=` comment
 * and of BUILDKIT_DOCKERFILE_CHECK. Names of rules that do not exist are taken, as they may exist in another version.
 * Throws DOCKERFILE_CHECK; `name` says in the message what was read.
 */
export function parseLintOptions(text: string, from: { readonly name: string; readonly where?: SourceRange }): LintOptions {
  const trimmed = text.trim();
  if (trimmed === "") return defaultLintOptions;
  const fail = (problem: string): VarveError =>
    new VarveError("DOCKERFILE_CHECK", `failed to parse ${from.name}: ${problem}`, {
      hint: "write for example skip=StageNameCasing,FromAsCasing;error=true",
      ...(from.where === undefined ? {} : { where: from.where }),
    });
  const options: { -readonly [K in keyof LintOptions]: LintOptions[K] } = { ...defaultLintOptions };
  const parts = trimmed.split(";");
  for (const part of [
    ...parts.slice(0, maxOptions - 1),
    ...(parts.length < maxOptions ? [] : [parts.slice(maxOptions - 1).join(";")]),
  ]) {
    const equals = part.indexOf("=");
    if (equals < 0) throw fail(`invalid check option ${JSON.stringify(part)}`);
    const key = part.slice(0, equals).trim();
    const value = part.slice(equals + 1).trim();
    if (key === "skip" || key === "experimental") {
      // a second list takes the place of the first; `all` stays
      if (options[key] !== "all") options[key] = value === "all" ? "all" : value.split(",").map((rule) => rule.trim());
    } else if (key === "error") {
      const parsed = parseBoolean(value);
      if (parsed === undefined) throw fail(`check option ${JSON.stringify(part)} is neither true nor false`);
      options.error = parsed;
    } else throw fail(`invalid check option ${JSON.stringify(key)}`);
  }
  return options;
}
