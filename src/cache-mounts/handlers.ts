import { handler, type TaskHandler } from "../worker/index.ts";
import { measureTask, packTask, sweepTask, unpackTask } from "./tasks.ts";

/** The room's tasks for the worker's entry. Each loads its code when it is first asked for. */
export const cacheMountsHandlers: readonly TaskHandler[] = [
  handler(measureTask, async ({ folders }) => (await import("./measure.ts")).measureFolders(folders)),
  handler(packTask, async (params, context) => (await import("./pack-mount.ts")).packMount(params, context)),
  handler(unpackTask, async (params, context) => (await import("./unpack-mount.ts")).unpackMount(params, context)),
  handler(sweepTask, async ({ root }, { signal }) => (await import("./sweep.ts")).sweepAside(root, signal)),
];
