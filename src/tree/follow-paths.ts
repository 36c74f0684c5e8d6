import { absolutePath, childPath, parentPath } from "./path-text.ts";
import { hasWildcard, matchWildcard } from "./wildcard.ts";

/** Beyond so many paths, or links one after the other, everything is kept: narrowing only saves work. */
const maxNeeded = 10_000;
const maxLinks = 40;

/**
 * The patterns that keep what `paths` need (G07): the paths themselves (they may hold wildcards), every link on the way,
 * and what the links lead to. Undefined when all is needed. `linkAt` and `names` look at the unfiltered tree by absolute
 * path; names of a missing folder are [].
 */
export function followPaths(
  paths: readonly string[],
  look: { readonly linkAt: (path: string) => string | undefined; readonly names: (path: string) => string[] },
): string[] | undefined {
  const patterns = new Set<string>();
  const seen = new Set<string>();
  const queue = paths.map((path) => ({ path: absolutePath(path), links: 0 }));
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { path, links } = next;
    if (path === "/" || links > maxLinks) return undefined;
    const parts = path.slice(1).split("/");
    for (let depth = 1; depth <= parts.length; depth++) {
      const current = `/${parts.slice(0, depth).join("/")}`;
      const rest = parts.slice(depth).join("/");
      const targets = linkTargets(current, look);
      if (targets.length === 0 && rest !== "") continue;
      patterns.add(current.slice(1));
      const mark = `${current}\0${rest}`;
      if (!seen.has(mark))
        queue.push(...targets.map((target) => ({ path: absolutePath(`${target}/${rest}`), links: links + 1 })));
      seen.add(mark);
      if (seen.size > maxNeeded) return undefined;
      if (targets.length > 0) break;
    }
  }
  return [...patterns].sort();
}

/** Where the links named by `path` (its last component may be a pattern) lead, as patterns. */
function linkTargets(path: string, look: Parameters<typeof followPaths>[1]): string[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const folder = unescape(parentPath(path));
  const candidates = hasWildcard(name)
    ? look
        .names(folder)
        .filter((other) => matchWildcard(name, other))
        .map((other) => childPath(folder, other))
    : [unescape(path)];
  return candidates.flatMap((at) => {
    const target = look.linkAt(at);
    if (target === undefined) return [];
    return [escape(absolutePath(target.startsWith("/") ? target : `${parentPath(at)}/${target}`))];
  });
}

const unescape = (pattern: string): string => pattern.replace(/\\(.)/gs, "$1");
const escape = (path: string): string => path.replace(/[\\*?[\]!]/g, "\\$&");
