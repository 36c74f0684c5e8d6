import { VarveError } from "../errors/index.ts";
import { selectSources, type ContentSelector, type Tree } from "../tree/index.ts";

/** So far the clock that a file system stamps files with may lag behind the other, in nanoseconds. */
const clockLagNs = 20_000_000n;
const maxNamed = 5;

/**
 * The failure of a step whose files were not the same before and after it read them: its result would stay in the cache as
 * that of files that never were. Names the selected files that changed since `sinceMs`, as their ctimes tell.
 */
export function contextChanged(tree: Tree, selectors: readonly ContentSelector[], sinceMs: number): VarveError {
  const since = BigInt(Math.floor(sinceMs * 1_000)) * 1_000n - clockLagNs;
  const files: string[] = [];
  const folders: string[] = [];
  for (const selector of selectors) {
    for (const source of selectSources(tree, selector)) {
      for (const { entry } of source.entries()) {
        if (entry.ctimeNs >= since) (entry.type === "directory" ? folders : files).push(entry.path.slice(1) || ".");
      }
    }
  }
  // A folder changes with the files in it, and by itself when one is gone.
  const changed = files.length > 0 ? files : folders;
  const named =
    changed.slice(0, maxNamed).join(", ") + (changed.length > maxNamed ? ` and ${changed.length - maxNamed} more` : "");
  return new VarveError("CONTEXT_CHANGED", `the build context changed while it was read${named === "" ? "" : `: ${named}`}`, {
    hint: "build again when nothing writes to the context, or exclude what changes with .dockerignore",
    details: { files: changed },
  });
}
