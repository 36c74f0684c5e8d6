import { lstatSync } from "node:fs";
import { waitForAll } from "../flow/index.ts";
import { observeProject, ofServices, type ProjectContext } from "./context.ts";
import { packFiles } from "./pack-files.ts";
import { isWithin, type ChangedPath } from "./watch-rules.ts";

/**
 * Makes paths in all containers of a service what they are on this machine: there, or gone. What is copied belongs to the user that
 * the container runs as. Does as much as can be done, and then throws the first failure.
 */
export async function syncFiles(context: ProjectContext, service: string, paths: readonly ChangedPath[]): Promise<void> {
  const { engine, signal } = context;
  const options = signal === undefined ? {} : { signal };
  const { present, gone } = splitPaths(paths, kindOf);
  const containers = ofServices(await observeProject(context), [service]);
  await waitForAll(
    containers.map(async ({ id }) => {
      if (gone.length > 0) await engine.containers.removePaths(id, gone, options);
      if (present.length > 0)
        await engine.containers.copyIn(id, "/", packFiles(present, options), { keepOwners: true, ...options });
    }),
  );
}

type Kind = "folder" | "other" | undefined;

/** Pure but for `kindAt`. A folder in whose place there is something else now goes first; the root of a container never does. */
export function splitPaths(
  paths: readonly ChangedPath[],
  kindAt: (path: string) => Kind,
): { readonly present: readonly ChangedPath[]; readonly gone: readonly string[] } {
  const kinds = new Map(paths.map(({ path }) => [path, kindAt(path)]));
  const present = paths.filter(({ path }) => kinds.get(path) !== undefined);
  const missing = paths.filter(({ path }) => kinds.get(path) === undefined);
  const replaced = present.filter(
    ({ path }) => kinds.get(path) === "other" && missing.some((one) => one.path !== path && isWithin(one.path, path)),
  );
  const gone = [...missing, ...replaced].map(({ target }) => target).filter((target) => target !== "/");
  return { present, gone: gone.filter((target) => !gone.some((other) => other !== target && isWithin(target, other))) };
}

function kindOf(path: string): Kind {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats === undefined ? undefined : stats.isDirectory() ? "folder" : "other";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
}
