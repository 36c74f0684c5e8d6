import { handler, type TaskHandler } from "../worker/index.ts";
import { measureTask } from "./tasks.ts";

/** The room's tasks for the worker's entry. Each loads its code when it is first asked for. */
export const gcHandlers: readonly TaskHandler[] = [
  handler(measureTask, async (params) => (await import("./measure.ts")).measureExtents(params)),
];
