import { VarveError } from "../errors/index.ts";
import { compileGlob, type Glob } from "./glob.ts";
import { cleanPath } from "./path-text.ts";

/** Which patterns matched a folder: handed down to its children while walking. Opaque; made by one matcher, for that one. */
export type MatchInfo = readonly boolean[];

/**
 * A list of patterns as `.dockerignore` and COPY's include and exclude lists have it (the rules of moby/patternmatcher):
 * a pattern also matches everything below what it matches, `!` takes back, the last match wins. Paths are relative,
 * clean, with `/`. Characters special to filepath.Match are read as it does, also where moby's translation to a regular
 * expression leaks (`\d` is the letter d, `[*]` a star, `^` itself).
 */
export interface PatternMatcher {
  /** The patterns in force, cleaned, with their `!`. */
  readonly patterns: readonly string[];
  /** Whether any pattern begins with `!`. */
  readonly hasNegations: boolean;
  /** Whether `path` is matched, looking at all its parent folders too. */
  matches(path: string): boolean;
  /** The same while walking: the parent's result spares a look at the parents. No parent (undefined): looks at all. */
  matchesWithParents(path: string, parent: MatchInfo | undefined): { readonly matched: boolean; readonly info: MatchInfo };
  /** Whether anything below a matched `folder` may be unmatched by a `!` pattern. */
  mayUnmatchBelow(folder: string): boolean;
  /** Whether anything below an unmatched `folder` may be matched. */
  mayMatchBelow(folder: string): boolean;
  /** The pattern that decided that `path` is matched; undefined when it is not. */
  decisivePattern(path: string): string | undefined;
  /** The last pattern that had a say in it, also one that took back; by its place in the given list. */
  decisiveRule(path: string): { readonly index: number; readonly matched: boolean } | undefined;
}

interface Rule {
  readonly negated: boolean;
  readonly glob: Glob;
  readonly text: string;
  /** Among the given patterns. */
  readonly index: number;
}

/** Compiles the patterns. Blank ones are skipped; a malformed one is TREE_PATTERN with the pattern in it. */
export function createPatternMatcher(patterns: readonly string[]): PatternMatcher {
  const rules = patterns.flatMap((pattern, index) => compileRule(pattern.trim(), index));

  const matchesWithParents: PatternMatcher["matchesWithParents"] = (path, parent) => {
    const info: boolean[] = Array.from({ length: rules.length }, () => false);
    let matched = false;
    for (const [i, { negated, glob }] of rules.entries()) {
      // What cannot change the outcome is not looked at, and not recorded for the children either: moby's walk does so.
      const hit = parent?.[i] === true || (negated === matched && (parent ? glob.matches(path) : matchesAnyLevel(glob, path)));
      info[i] = hit;
      if (hit) matched = !negated;
    }
    return { matched, info };
  };

  return {
    patterns: rules.map(({ text }) => text),
    hasNegations: rules.some(({ negated }) => negated),
    matches: (path) => matchesWithParents(path, undefined).matched,
    matchesWithParents,
    mayUnmatchBelow: (folder) => rules.some(({ negated, glob }) => negated && glob.mayMatchBelow(folder)),
    mayMatchBelow: (folder) => rules.some(({ negated, glob }) => !negated && glob.mayMatchBelow(folder)),
    decisiveRule(path) {
      const { matched, info } = matchesWithParents(path, undefined);
      const rule = rules[info.lastIndexOf(true)];
      return rule && { index: rule.index, matched };
    },
    decisivePattern(path) {
      const { matched, info } = matchesWithParents(path, undefined);
      return matched ? rules[info.lastIndexOf(true)]?.text : undefined;
    },
  };
}

function compileRule(pattern: string, index: number): Rule[] {
  if (pattern === "") return [];
  const text = cleanPath(pattern);
  const negated = text.startsWith("!");
  if (text === "!") {
    throw new VarveError("TREE_PATTERN", 'the pattern "!" takes nothing back', {
      hint: "write the paths that stay after the `!`",
      details: { pattern },
    });
  }
  return [{ negated, glob: compileGlob(negated ? text.slice(1) : text, "ignore"), text, index }];
}

function matchesAnyLevel(glob: Glob, path: string): boolean {
  if (glob.matches(path)) return true;
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
    if (glob.matches(path.slice(0, at))) return true;
  }
  return false;
}
