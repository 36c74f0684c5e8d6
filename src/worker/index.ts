/**
 * The worker process: everything that mounts, unpacks, copies into or runs inside a root happens there, in mount and pid
 * namespaces of its own (and a user namespace when not root). It starts with the first call, and dies with its parent,
 * mounts and containers with it. This room knows how to start it and talk to it; what it does are tasks from rooms above.
 */
export { createWorker, type Worker, type WorkerOptions } from "./worker.ts";
export { serveTasks, type TaskContext, type TaskHandler } from "./serve-tasks.ts";
export { handler, task, type Task } from "./task.ts";
export { mapIds, planIdMaps, type IdMapPlan } from "./id-maps.ts";
export { fromWire, toWire, type WireError } from "./protocol.ts";
