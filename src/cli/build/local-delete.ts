import { realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative } from "node:path";
import { VarveError } from "../../errors/index.ts";

/** Fails unless the folder lies below the working folder: what `mode=delete` empties elsewhere, the user has to allow (B02). */
export function checkLocalDelete(dest: string, cwd: string): void {
  const way = relative(realpathOfNearest(cwd), realpathOfNearest(dest));
  if (way !== "" && way !== ".." && !way.startsWith("../") && !isAbsolute(way)) return;
  throw new VarveError("USAGE", `local output mode=delete for destination "${dest}" requires --allow=buildx.local.delete`, {
    hint: "it removes everything there that is not in the result",
  });
}

/** The path without links, also of what is not there yet. */
function realpathOfNearest(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    return join(realpathOfNearest(dirname(path)), basename(path));
  }
}
