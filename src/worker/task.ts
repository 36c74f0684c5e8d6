import type { TaskContext, TaskHandler } from "./serve-tasks.ts";

/**
 * The name of something that the worker can do, with the types of its parameters, its result and the events on the way.
 * All of them cross a process border: plain data, Buffers, Maps and bigints only.
 */
export interface Task<Params, Result, Event = never> {
  readonly name: string;
  /** Never set; carries the types. */
  readonly types?: (params: Params, event: Event) => Result;
}

export function task<Params, Result, Event = never>(name: string): Task<Params, Result, Event> {
  return { name };
}

/** Pairs a task with what does it, for the list that the worker's entry serves. */
export function handler<Params, Result, Event>(
  { name }: Task<Params, Result, Event>,
  run: (params: Params, context: TaskContext<Event>) => Promise<Result>,
): TaskHandler {
  return { name, run: run as TaskHandler["run"] };
}
