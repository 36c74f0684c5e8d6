import { handler, type TaskHandler } from "../worker/index.ts";
import { applyTask, changesTask, packTask, unpackContextTask } from "./tasks.ts";

/** The layers' tasks for the worker's entry. Each loads its code when it is first asked for. */
export const layersHandlers: readonly TaskHandler[] = [
  handler(applyTask, async (params, context) => (await import("./apply-task.ts")).runApplyTask(params, context)),
  handler(packTask, async (params, context) => (await import("./pack-task.ts")).runPackTask(params, context)),
  handler(changesTask, async (params, context) => (await import("./list-changes.ts")).runChangesTask(params, context)),
  handler(unpackContextTask, async (params, context) => (await import("./apply-task.ts")).runUnpackContextTask(params, context)),
];
