import { isAbsolute, join, posix, relative } from "node:path";
import type { Hook, WatchTrigger } from "../compose-file/index.ts";
import { createPatternMatcher, type PatternMatcher } from "../tree/index.ts";

/** Patterns of an ignore file and the folder that they start from. */
export interface IgnoredFiles {
  readonly folder: string;
  readonly patterns: readonly string[];
}

/** What is to be done when files of a service change: an entry of its `develop.watch`. */
export interface WatchRule {
  readonly service: string;
  /** Absolute, without links. */
  readonly path: string;
  readonly trigger: WatchTrigger;
  /** Whether the rule is about this absolute path. */
  readonly matches: (path: string) => boolean;
  /** Whether it may be about anything below this folder. */
  readonly mayMatchBelow: (folder: string) => boolean;
}

/** A changed path of this machine and its place in containers. */
export interface ChangedPath {
  readonly path: string;
  readonly target: string;
}

/** What a batch of changes asks for, in the order in which it is carried out. Services in order, each once. */
export interface WatchPlan {
  readonly rebuild: readonly string[];
  readonly sync: readonly { readonly service: string; readonly paths: readonly ChangedPath[] }[];
  readonly restart: readonly string[];
  readonly exec: readonly { readonly service: string; readonly hook: Hook }[];
}

/**
 * What editors and tools write beside the files that they work on (Docker docs, "Use Compose Watch": temporary and backup files of
 * JetBrains' editors, Emacs, Vim and Kate, and Go's own), and what Git keeps.
 */
const ignoredEverywhere: readonly string[] = [
  "**/.git",
  "**/.idea",
  "**/*___jb_old___",
  "**/*___jb_tmp___",
  "**/.#*",
  "**/#*#",
  "**/4913",
  "**/*~",
  "**/.*.swp",
  "**/.*.swx",
  "**/.*.swo",
  "**/.*.swn",
  "**/.*.kate-swp",
  "**/*-go-tmp-umask",
];

/**
 * The rule of a trigger, whose `path` has lost its links. Patterns of `ignore` and `include` start from the path; those of the
 * build's ignore file from its context.
 */
export function makeWatchRule(
  service: string,
  trigger: WatchTrigger,
  { path, ignoreFile }: { readonly path: string; readonly ignoreFile?: IgnoredFiles | undefined },
): WatchRule {
  const include = trigger.include === undefined || trigger.include.length === 0 ? undefined : patternsIn(path, trigger.include);
  const ignores = [
    patternsIn("/", ignoredEverywhere),
    patternsIn(path, trigger.ignore ?? []),
    ...(ignoreFile === undefined ? [] : [patternsIn(ignoreFile.folder, ignoreFile.patterns)]),
  ];
  return {
    service,
    path,
    trigger,
    matches: (changed) =>
      isWithin(changed, path) &&
      (include === undefined || include.matches(changed)) &&
      !ignores.some((ignored) => ignored.matches(changed)),
    mayMatchBelow: (folder) =>
      isWithin(path, folder) || (isWithin(folder, path) && !ignores.some((ignored) => ignored.matchesAllBelow(folder))),
  };
}

interface PathPatterns {
  matches(path: string): boolean;
  matchesAllBelow(folder: string): boolean;
}

/** Patterns for absolute paths; what lies outside of the folder is not matched. */
function patternsIn(folder: string, patterns: readonly string[]): PathPatterns {
  const matcher: PatternMatcher = createPatternMatcher(patterns.flatMap((pattern) => relativePattern(folder, pattern)));
  const within = (path: string, look: (inside: string) => boolean): boolean =>
    isWithin(path, folder) && path !== folder && look(relative(folder, path));
  return {
    matches: (path) => within(path, (inside) => matcher.matches(inside)),
    matchesAllBelow: (path) => within(path, (inside) => matcher.matches(inside) && !matcher.mayUnmatchBelow(inside)),
  };
}

function relativePattern(folder: string, pattern: string): readonly string[] {
  const negated = pattern.startsWith("!");
  const text = negated ? pattern.slice(1) : pattern;
  if (!isAbsolute(text)) return [pattern];
  if (!isWithin(text, folder) || text === folder) return [];
  return [`${negated ? "!" : ""}${relative(folder, text)}`];
}

/** What these changed paths ask for. */
export function planChanges(rules: readonly WatchRule[], changed: readonly string[]): WatchPlan {
  const rebuild = new Set<string>();
  const restart = new Set<string>();
  const synced = new Map<string, Map<string, ChangedPath>>();
  const exec = new Map<WatchRule, Hook>();
  for (const rule of rules) {
    const { service, trigger } = rule;
    for (const path of changed.filter((one) => rule.matches(one))) {
      if (trigger.action === "rebuild") rebuild.add(service);
      if (trigger.action === "restart" || trigger.action === "sync+restart") restart.add(service);
      if (trigger.action === "sync+exec" && trigger.exec !== undefined) exec.set(rule, trigger.exec);
      if (!isSync(trigger)) continue;
      const { target } = changedPath(rule, path);
      const own = synced.get(service) ?? new Map<string, ChangedPath>();
      synced.set(service, own.set(target, { path, target }));
    }
  }
  return {
    rebuild: [...rebuild].toSorted(),
    sync: [...synced]
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([service, paths]) => ({ service, paths: [...paths.values()].toSorted((a, b) => (a.target < b.target ? -1 : 1)) })),
    restart: [...restart].toSorted(),
    exec: [...exec].map(([{ service }, hook]) => ({ service, hook })),
  };
}

/** A path that a rule syncs, with its place in containers. */
export function changedPath({ path: root, trigger }: Pick<WatchRule, "path" | "trigger">, path: string): ChangedPath {
  return { path, target: join("/", trigger.target ?? "", relative(root, path)).replace(/(.)\/$/, "$1") };
}

/** Whether it copies files; a target is there then. */
export function isSync({ action }: Pick<WatchTrigger, "action">): boolean {
  return action === "sync" || action === "sync+restart" || action === "sync+exec";
}

/** Whether `path` is `folder` or lies below it; both absolute and clean. */
export function isWithin(path: string, folder: string): boolean {
  const from = posix.relative(folder, path);
  return from === "" || (from !== ".." && !from.startsWith("../"));
}
