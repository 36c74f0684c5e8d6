/**
 * What each LLB op does on this machine: its cache key and its execution. Ops plug into the solver from above; whatever
 * touches a root goes to the worker as a task. The handlers of the tasks are what the worker's entry serves.
 */
export type { ContentObserver } from "./content.ts";
export { createOps, type OpsOptions } from "./create-ops.ts";
export { entitlementSet, type Entitlement } from "./entitlements.ts";
export { opsHandlers } from "./handlers.ts";
export { dateOfSource, type SourceDateOptions } from "./source-date.ts";
export { removeTask } from "./tasks.ts";
