/**
 * What this package is: its version, and where its files lie, run from the sources or from the built files. Reads
 * `package.json` and nothing else.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
  return version;
}

/** Path of a process's entry, named as under `src` without its ending: TypeScript in a checkout, a bundle when built. */
export function modulePath(name: string): string {
  return import.meta.url.endsWith(".ts") ? join(packageRoot(), "src", `${name}.ts`) : join(packageRoot(), "dist", `${name}.cjs`);
}

/** The nearest folder above with a `package.json`. */
function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    if (folder === dirname(folder)) throw new TypeError("the package has lost its package.json");
    folder = dirname(folder);
  }
  return folder;
}
