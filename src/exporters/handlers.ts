import { handler, type TaskHandler } from "../worker/index.ts";
import { folderTask, tarTask } from "./tasks.ts";

/** The exporters' tasks for the worker's entry. Each loads its code when it is first asked for. */
export const exportersHandlers: readonly TaskHandler[] = [
  handler(tarTask, async (params, context) => (await import("./files-task.ts")).runTarTask(params, context)),
  handler(folderTask, async (params, context) => (await import("./files-task.ts")).runFolderTask(params, context)),
];
