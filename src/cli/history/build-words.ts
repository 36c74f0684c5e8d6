import type { BuildStatus } from "../../engine/index.ts";

/** What tables call a status. */
export const statusWords: Readonly<Record<BuildStatus, string>> = {
  running: "Running",
  completed: "Completed",
  error: "Error",
  canceled: "Canceled",
  died: "Died",
};

/** How long a build took, as buildx says it: `1.2s`, `3m  5s`. */
export function formatBuildTime(durationMs: number): string {
  if (durationMs < 60_000) return `${(durationMs / 1000).toFixed(1)}s`;
  const seconds = Math.trunc(durationMs / 1000);
  return `${Math.trunc(seconds / 60)}m ${String(seconds % 60).padStart(2)}s`;
}

/** The ref as the key `buildx.build.ref` of build metadata has it: builder, node, ref. */
export function fullRef(ref: string): string {
  return `varve/varve0/${ref}`;
}
