import { VarveError } from "../errors/index.ts";
import { writeInto } from "./destination.ts";
import { openDirectoryTree } from "./directory-tree.ts";
import { absolutePath, baseName, childPath, parentPath } from "./path-text.ts";
import { matchPaths } from "./selection.ts";
import { quote } from "./tree-error.ts";
import { splitWildcard } from "./wildcard.ts";

/** The fields of LLB's action that removes. */
export interface RemoveAction {
  readonly path: string;
  readonly allowNotFound: boolean;
  readonly allowWildcard: boolean;
}

/**
 * Removes a path with everything below it, or every match of a pattern. A link at the end is removed, not followed.
 * Nothing there: TREE_NOT_FOUND, unless allowed; a pattern may match nothing. The root itself cannot be removed.
 */
export async function removePath(rootPath: string, action: RemoveAction): Promise<void> {
  const paths = action.allowWildcard ? matchesOf(rootPath, action) : [absolutePath(action.path)];
  await writeInto(rootPath, (destination) => {
    for (const path of paths) {
      if (path === "/") throw new VarveError("TREE_CONFLICT", "the root itself cannot be removed", { details: { path } });
      const resolved = childPath(destination.resolve(parentPath(path)), baseName(path));
      if (!action.allowNotFound && destination.root.lstat(resolved) === undefined) throw notFound(path);
      destination.remove(resolved);
    }
  });
}

function matchesOf(rootPath: string, action: RemoveAction): string[] {
  const tree = openDirectoryTree(rootPath, { resetOwner: false });
  try {
    const { base } = splitWildcard(action.path);
    const known = tree.entry(tree.resolve(base, { followLast: false })) !== undefined;
    if (!known && action.allowNotFound) return [];
    const selector = { path: action.path, wildcard: true, allowEmptyWildcard: true, followLinks: false };
    return matchPaths(tree, selector).map(({ path }) => path);
  } finally {
    tree.close();
  }
}

function notFound(path: string): VarveError {
  return new VarveError("TREE_NOT_FOUND", `${quote(path)}: not found`, { details: { path } });
}
