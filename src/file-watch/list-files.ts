import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isGone } from "./watch-folders.ts";

/** What lies below a folder, folders before what they hold, without those that `mayEnter` refuses; a file alone is itself. */
export function* listFiles(path: string, mayEnter: (path: string) => boolean = () => true): Generator<string, void, undefined> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) return yield path;
  for (const entry of namesOf(path)) {
    const child = join(path, entry.name);
    if (!entry.isDirectory()) yield child;
    else if (mayEnter(child)) {
      yield child;
      yield* listFiles(child, mayEnter);
    }
  }
}

function namesOf(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}
