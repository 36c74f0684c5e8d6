import type { MatchInfo, PatternMatcher } from "./pattern-matcher.ts";

/** What the patterns say of one path. */
export interface FilterState {
  /** Shown for itself. A hidden folder is shown all the same when something below it is. */
  readonly shown: boolean;
  /** Whether something below could be shown. */
  readonly maybeBelow: boolean;
  /** Whether everything below is shown, whatever its name. */
  readonly wholeBelow: boolean;
  readonly exclude: MatchInfo | undefined;
  readonly include: MatchInfo | undefined;
}

export interface TreeFilter {
  readonly root: FilterState;
  /** `path` is relative to the root of the patterns; `parent` the state of its folder. */
  child(parent: FilterState, path: string): FilterState;
}

/** Combines patterns to leave out with patterns to keep (none: keep all), as fsutil's walk does: exclusion wins. */
export function createFilter(patterns: {
  readonly exclude: PatternMatcher | undefined;
  readonly include: PatternMatcher | undefined;
}): TreeFilter {
  const { exclude, include } = patterns;
  return {
    root: { shown: true, maybeBelow: true, wholeBelow: !exclude && !include, exclude: undefined, include: undefined },
    child(parent, path) {
      const out = exclude?.matchesWithParents(path, parent.exclude);
      const kept = include?.matchesWithParents(path, parent.include);
      const excluded = out?.matched === true;
      const included = kept?.matched !== false;
      return {
        shown: included && !excluded,
        maybeBelow: (!excluded || exclude?.mayUnmatchBelow(path) === true) && (included || include?.mayMatchBelow(path) === true),
        wholeBelow:
          included &&
          !excluded &&
          exclude?.mayMatchBelow(path) !== true &&
          (include === undefined || (kept?.matched === true && !include.mayUnmatchBelow(path))),
        exclude: out?.info,
        include: kept?.info,
      };
    },
  };
}
