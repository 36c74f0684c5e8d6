import { rmSync } from "node:fs";

/** Deletes folders. Those that are gone already are fine: somebody else swept them. */
export async function runRemoveTask({ paths }: { readonly paths: readonly string[] }): Promise<void> {
  for (const path of paths) rmSync(path, { recursive: true, force: true, maxRetries: 2 });
}
