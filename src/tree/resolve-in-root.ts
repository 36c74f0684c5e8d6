import { VarveError } from "../errors/index.ts";
import { absolutePath, childPath, parentPath } from "./path-text.ts";
import { quote } from "./tree-error.ts";

/** As many links as BuildKit follows in one path. */
const maxLinks = 255;

/**
 * Expands the symbolic links in `path` as if the tree's root were `/`: absolute targets start at the root, `..` stops
 * there. `linkAt` gives the target of the link at a path whose folders are free of links, undefined for anything else.
 * What does not exist is kept as written, so that it can be made. Too many links: TREE_LOOP.
 */
export function resolveInRoot(
  path: string,
  options: { readonly followLast: boolean; readonly linkAt: (path: string) => string | undefined },
): string {
  // `..` of the path itself is taken out as text, that of link targets after the links before it: BuildKit's rule.
  const pending = absolutePath(path).split("/").reverse();
  let current = "/";
  let links = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      current = parentPath(current);
      continue;
    }
    const next = childPath(current, part);
    const isLast = pending.every((rest) => rest === "" || rest === ".");
    const target = isLast && !options.followLast ? undefined : options.linkAt(next);
    if (target === undefined) {
      current = next;
      continue;
    }
    links += 1;
    if (links > maxLinks) {
      throw new VarveError("TREE_LOOP", `too many symbolic links in ${quote(absolutePath(path))}`, {
        hint: `look at the link ${quote(next)}: it may lead to itself`,
        details: { path, link: next },
      });
    }
    if (target.startsWith("/")) current = "/";
    pending.push(...target.split("/").reverse());
  }
  return current;
}
