import { isVarveError } from "../errors/index.ts";
import { contentDigest, type ContentSink, type Tree } from "../tree/index.ts";
import type { Reading } from "./tasks.ts";

/** Digest of what is read of a tree; what may be missing and is has a digest too. */
export function digestReading(tree: Tree, { selector, optional = false }: Reading, sink?: ContentSink): string {
  try {
    return contentDigest(tree, selector, sink);
  } catch (error) {
    if (optional && isVarveError(error) && error.code === "TREE_NOT_FOUND") return "missing";
    throw error;
  }
}
