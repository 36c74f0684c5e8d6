import { handler, type TaskHandler } from "../worker/index.ts";
import { digestTask, execTask, fileTask, removeTask } from "./tasks.ts";

/** The ops' tasks for the worker's entry. Each loads its code when it is first asked for. */
export const opsHandlers: readonly TaskHandler[] = [
  handler(fileTask, async (params, context) => (await import("./file-task.ts")).runFileTask(params, context)),
  handler(digestTask, async (params, context) => (await import("./digest-task.ts")).runDigestTask(params, context)),
  handler(execTask, async (params, context) => (await import("./exec-task.ts")).runExecTask(params, context)),
  handler(removeTask, async (params) => (await import("./remove-task.ts")).runRemoveTask(params)),
];
