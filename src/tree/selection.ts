import { VarveError } from "../errors/index.ts";
import { compileGlob } from "./glob.ts";
import { absolutePath, baseName, childPath, isWithin } from "./path-text.ts";
import { createPatternMatcher, type PatternMatcher } from "./pattern-matcher.ts";
import { quote } from "./tree-error.ts";
import { createFilter, type FilterState } from "./tree-filter.ts";
import type { Tree, TreeEntry } from "./tree.ts";
import { splitWildcard } from "./wildcard.ts";

/** Which files of a tree are meant: by a COPY, by a mount, by a cache key. */
export interface ContentSelector {
  /** Counted from the root; `..` stops there. */
  readonly path: string;
  /** Whether `*`, `?` and `[` in `path` are a pattern (filepath.Match per component, no `**`). */
  readonly wildcard: boolean;
  /** Whether a pattern may match nothing; else that is TREE_NOT_FOUND. */
  readonly allowEmptyWildcard: boolean;
  /** Whether a link as the last component of a source stands for what it leads to. Links before it always do. */
  readonly followLinks: boolean;
  /** Patterns on the paths inside a selected folder; none: everything. What is named by `path` itself is not tested. */
  readonly includePatterns: readonly string[];
  readonly excludePatterns: readonly string[];
  /** Absolute paths that must be among the selected ones. */
  readonly requiredPaths: readonly string[];
  /** Whether a selected folder stands for what it holds: then its own metadata is not part of the selection. */
  readonly dirContentsOnly: boolean;
}

/** The fields of an LLB copy action that say what is taken. */
export interface CopySourceFields {
  readonly src: string;
  readonly followSymlink: boolean;
  readonly dirCopyContents: boolean;
  readonly allowWildcard: boolean;
  readonly allowEmptyWildcard: boolean;
  readonly includePatterns: readonly string[];
  readonly excludePatterns: readonly string[];
  readonly requiredPaths: readonly string[];
}

/** The selector of what a copy action takes. */
export function selectorOf(copy: CopySourceFields): ContentSelector {
  return {
    path: copy.src,
    wildcard: copy.allowWildcard,
    allowEmptyWildcard: copy.allowEmptyWildcard,
    followLinks: copy.followSymlink,
    includePatterns: copy.includePatterns,
    excludePatterns: copy.excludePatterns,
    requiredPaths: copy.requiredPaths,
    dirContentsOnly: copy.dirCopyContents,
  };
}

/** A path with everything below it, links in the path followed: what a mount of it shows. */
export function wholePath(path: string): ContentSelector {
  return {
    path: path || "/",
    wildcard: false,
    allowEmptyWildcard: false,
    followLinks: true,
    includePatterns: [],
    excludePatterns: [],
    requiredPaths: [],
    dirContentsOnly: false,
  };
}

/** One thing that a selector names: the path itself, or one match of its pattern. */
export interface SelectedSource {
  /** Absolute, as named or matched, its last link not followed. */
  readonly path: string;
  /** The name it gets inside an existing folder: "" for the root, `.` for `dir/.`. */
  readonly name: string;
  /** What is taken, links followed as the selector says. */
  readonly entry: TreeEntry;
  /** `entry` itself first, then what is selected below it: folders before their children, names sorted by their bytes. */
  readonly entries: () => Iterable<SelectedEntry>;
}

export interface SelectedEntry {
  readonly entry: TreeEntry;
  /** Path below the source; "" for the source itself. */
  readonly relative: string;
  /** A folder that is only on the way to something selected: made where missing, left as it is where it exists. */
  readonly onTheWay: boolean;
}

/**
 * What a selector takes from a tree. Missing: TREE_NOT_FOUND (`"/x": not found`); malformed patterns: TREE_PATTERN.
 * The same selection is hashed and copied, so that a cache key covers what a copy writes.
 */
export function selectSources(tree: Tree, selector: ContentSelector): SelectedSource[] {
  const matchers = {
    include: matcherOf(selector.includePatterns),
    exclude: matcherOf(selector.excludePatterns),
  };
  return matchPaths(tree, selector).map(({ path, name }) => {
    const resolved = tree.resolve(path, { followLast: selector.followLinks });
    const entry = tree.entry(resolved);
    if (entry === undefined) throw notFound(tree, path, resolved);
    return { path, name, entry, entries: () => walkSource(tree, { path, entry, matchers, required: selector.requiredPaths }) };
  });
}

/** What a copy action takes: {@link selectSources} of its {@link selectorOf}. */
export function selectCopySources(tree: Tree, copy: CopySourceFields): SelectedSource[] {
  return selectSources(tree, selectorOf(copy));
}

/** The paths of everything in a selection, links that name a source too, as {@link selectSources} finds it: no content is read. */
export function listPaths(tree: Tree, selector: ContentSelector): string[] {
  return selectSources(tree, selector).flatMap((source) => [
    source.path,
    ...Array.from(source.entries(), ({ entry }) => entry.path),
  ]);
}

function matcherOf(patterns: readonly string[]): PatternMatcher | undefined {
  return patterns.length === 0 ? undefined : createPatternMatcher(patterns);
}

/** The paths that a selector's path names: itself, or the matches of its pattern, in walking order. Links are not followed at the end. */
export function matchPaths(
  tree: Tree,
  selector: Pick<ContentSelector, "path" | "wildcard" | "allowEmptyWildcard" | "followLinks">,
): { path: string; name: string }[] {
  const { base, pattern } = splitWildcard(selector.path);
  if (!selector.wildcard || pattern === "") {
    const path = absolutePath(selector.path);
    // `dir/.` is the folder's contents, unless patterns are looked for: then the path is cleaned first.
    return [{ path, name: !selector.wildcard && selector.path.endsWith("/.") ? "." : baseName(path) }];
  }
  const glob = compileGlob(pattern, "wildcard");
  const start = tree.resolve(base, { followLast: selector.followLinks });
  const folder = tree.entry(start);
  if (folder === undefined) throw notFound(tree, base, start);
  const found: { path: string; name: string }[] = [];
  const pending = folder.type === "directory" ? tree.children(start).toReversed() : [];
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    const relative = entry.path.slice(start === "/" ? 1 : start.length + 1);
    // A folder that matches is taken whole, and not searched for more matches (C05).
    if (glob.matches(relative)) found.push({ path: entry.path, name: baseName(entry.path) });
    else if (entry.type === "directory" && glob.mayMatchBelow(relative)) pending.push(...tree.children(entry.path).toReversed());
  }
  if (found.length > 0 || selector.allowEmptyWildcard) return found;
  throw new VarveError("TREE_NOT_FOUND", `${quote(absolutePath(selector.path))}: not found`, {
    hint: "no path matches the pattern",
    details: { path: selector.path, nearest: start },
  });
}

function* walkSource(
  tree: Tree,
  source: {
    readonly path: string;
    readonly entry: TreeEntry;
    readonly matchers: { readonly include: PatternMatcher | undefined; readonly exclude: PatternMatcher | undefined };
    readonly required: readonly string[];
  },
): Generator<SelectedEntry> {
  const missing = new Set(source.required.map(absolutePath));
  const arrive = (relative: string): void => {
    const path = relative === "" ? source.path : childPath(source.path, relative);
    for (const required of missing) if (isWithin(path, required)) missing.delete(required);
  };
  arrive("");
  yield { entry: source.entry, relative: "", onTheWay: false };

  const filter = createFilter(source.matchers);
  interface Level {
    readonly relative: string;
    readonly state: FilterState;
    readonly pending: TreeEntry[];
    readonly entry: TreeEntry;
    given: boolean;
  }
  const levels: Level[] = [];
  const descend = (entry: TreeEntry, relative: string, state: FilterState, given: boolean): void => {
    levels.push({ relative, state, pending: tree.children(entry.path).toReversed(), entry, given });
  };
  if (source.entry.type === "directory") descend(source.entry, "", filter.root, true);
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const entry = level.pending.pop();
    if (entry === undefined) {
      levels.pop();
      continue;
    }
    const name = baseName(entry.path);
    const relative = level.relative === "" ? name : `${level.relative}/${name}`;
    const state = filter.child(level.state, relative);
    if (state.shown) {
      // Folders that the patterns did not select are given only now, when something below them is.
      for (const above of levels) {
        if (above.given) continue;
        above.given = true;
        yield { entry: above.entry, relative: above.relative, onTheWay: true };
      }
      if (missing.size > 0) arrive(relative);
      yield { entry, relative, onTheWay: false };
    }
    if (entry.type === "directory" && state.maybeBelow) descend(entry, relative, state, state.shown);
  }
  for (const path of missing) throw notFound(tree, path, tree.resolve(path, { followLast: false }));
}

function notFound(tree: Tree, path: string, resolved: string): VarveError {
  const { nearest, excludedBy, names } = tree.whyMissing(resolved);
  return new VarveError("TREE_NOT_FOUND", `${quote(path)}: not found`, {
    hint:
      excludedBy === undefined
        ? `the nearest path that exists is ${quote(nearest)}`
        : `the pattern ${quote(excludedBy)} of the ignore file excludes it`,
    details: { path, nearest, names, ...(excludedBy === undefined ? {} : { excludedBy }) },
  });
}
