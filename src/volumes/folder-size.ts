import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The sizes of a folder's files, those with several names once; what goes away meanwhile does not count. */
export function measureFolder(folder: string): number {
  const seen = new Set<string>();
  const visit = (path: string): number => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined || seen.has(`${stats.dev} ${stats.ino}`)) return 0;
    seen.add(`${stats.dev} ${stats.ino}`);
    if (!stats.isDirectory()) return stats.size;
    return namesOf(path).reduce((sum, name) => sum + visit(join(path, name)), 0);
  };
  return visit(folder);
}

function namesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
