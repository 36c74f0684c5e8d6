import { createMatcher, maxPatternCells, parsePattern, type PatternToken } from "./patterns.ts";

interface Refusing {
  /** Makes the error for a problem. */
  readonly refuse: (problem: string) => Error;
}

/** `${v#p}`, `${v##p}`, `${v%p}`, `${v%%p}` (V05, V06): the value without the shortest or longest match at one end. */
export function removeMatch(
  value: string,
  pattern: string,
  options: Refusing & { readonly from: "start" | "end"; readonly longest: boolean },
): string {
  const chars = Array.from(value);
  const tokens = [...readPattern(pattern, chars, options)];
  if (options.from === "end") {
    chars.reverse();
    tokens.reverse();
  }
  const end = createMatcher(tokens, chars).endOfMatch(0, options.longest);
  const kept = end === -1 ? chars : chars.slice(end);
  return (options.from === "end" ? kept.reverse() : kept).join("");
}

/**
 * `${v/p/r}`, `${v//p/r}` (V07): the first or every leftmost longest match replaced. Of the first, `r` is taken as it is; of all,
 * a `$` in it is read as Go's regexp reads a replacement: `$0` is the match, `$$` a dollar, any other name nothing.
 */
export function replaceMatches(
  value: string,
  pattern: string,
  options: Refusing & { readonly replacement: string; readonly all: boolean; readonly maxLength: number },
): string {
  const chars = Array.from(value);
  const matcher = createMatcher(readPattern(pattern, chars, options), chars);
  let out = "";
  let afterMatch = -1;
  for (let at = 0; at <= chars.length;) {
    const end = matcher.endOfMatch(at, true);
    const empty = end === at;
    // an empty match right after a match does not count, as in Go's regexp
    if (end !== -1 && !(empty && at === afterMatch)) {
      out += options.all ? fillTemplate(options.replacement, chars.slice(at, end).join("")) : options.replacement;
      if (out.length > options.maxLength) throw options.refuse(`the result is longer than ${options.maxLength} characters`);
      if (!options.all) return out + chars.slice(end).join("");
      afterMatch = end;
    }
    if (end > at) at = end;
    else out += chars[at++] ?? "";
  }
  return out;
}

/** As `Regexp.Expand` of Go's regexp does for an expression without groups. */
function fillTemplate(template: string, match: string): string {
  return template.replace(
    /\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu,
    (dollar: string, plain?: string, braced?: string) => {
      if (dollar === "$$") return "$";
      return (plain ?? braced) === "0" ? match : "";
    },
  );
}

function readPattern(pattern: string, value: readonly string[], options: Refusing): readonly PatternToken[] {
  const tokens = parsePattern(pattern);
  if ("problem" in tokens) throw options.refuse(`invalid pattern (${pattern}) in substitution: ${tokens.problem}`);
  if ((value.length + 1) * (tokens.length + 1) > maxPatternCells) {
    throw options.refuse(`the pattern is too long for a value of ${value.length} characters`);
  }
  return tokens;
}
