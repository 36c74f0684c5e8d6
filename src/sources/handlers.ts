import { handler, type TaskHandler } from "../worker/index.ts";
import { gitCheckoutTask, gitDateTask } from "./git-tasks.ts";

/** The sources' tasks for the worker's entry. Each loads its code when it is first asked for. */
export const sourcesHandlers: readonly TaskHandler[] = [
  handler(gitCheckoutTask, async (params, context) => (await import("./git-checkout.ts")).runGitCheckoutTask(params, context)),
  handler(gitDateTask, async (params, context) => (await import("./git-checkout.ts")).runGitDateTask(params, context)),
];
