import { hash } from "node:crypto";
import { isVarveError } from "../errors/index.ts";
import type { EventSink } from "../events/index.ts";
import { reportTransfers } from "./transfer-reports.ts";

/** Reports the progress of a part of an internal step. */
export type ReportStatus = (id: string, current: number, total: number, done: boolean) => void;

/** The vertex of the step with this name. */
export function internalVertex(name: string): string {
  return `sha256:${hash("sha256", name)}`;
}

/** Runs work that is a step for the reader of progress but no vertex of the graph: loading files, resolving, exporting. */
export async function internalStep<T>(
  name: string,
  emit: EventSink,
  work: (status: ReportStatus, vertex: string) => Promise<T>,
): Promise<T> {
  const vertex = internalVertex(name);
  const started = Date.now();
  emit({ type: "vertex", time: started, vertex, name, inputs: [], started });
  const report = reportTransfers(emit);
  const status: ReportStatus = (id, current, total, done) => report(vertex, { id, current, total, done });
  try {
    const result = await work(status, vertex);
    emit({ type: "vertex", time: Date.now(), vertex, name, inputs: [], started, completed: Date.now() });
    return result;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const canceled = isVarveError(error) ? error.kind === "canceled" : error instanceof Error && error.name === "AbortError";
    emit({
      type: "vertex",
      time: Date.now(),
      vertex,
      name,
      inputs: [],
      started,
      completed: Date.now(),
      error: message,
      ...(canceled ? { canceled } : {}),
    });
    throw error;
  }
}
