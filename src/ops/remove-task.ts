import { existsSync, rmSync } from "node:fs";

/** How often a removal is begun again that others made end early. */
const maxTries = 100;

/**
 * Deletes folders; when it returns they are gone. Those that are gone already are fine: somebody else swept them. While somebody
 * sweeps them at the same time, Node's rmSync takes what it does not find any more for the end of all, and is called again.
 */
export async function runRemoveTask({ paths }: { readonly paths: readonly string[] }): Promise<void> {
  for (const path of paths) {
    for (let tries = 0; tries === 0 || (tries < maxTries && existsSync(path)); tries += 1)
      rmSync(path, { recursive: true, force: true, maxRetries: 2 });
  }
}
