import type { EventSink } from "../events/index.ts";
import type { TransferStatus } from "../sources/index.ts";

/** Tells how far the parts of steps are; of each, the first time that it is told of is when it began. */
export function reportTransfers(emit: EventSink): (vertex: string, status: TransferStatus) => void {
  const started = new Map<string, number>();
  return (vertex, { id, current, total, done }) => {
    const time = Date.now();
    const key = `${vertex} ${id}`;
    if (!started.has(key)) started.set(key, time);
    emit({
      type: "status",
      time,
      vertex,
      id,
      name: id,
      current,
      total,
      started: started.get(key) ?? time,
      ...(done ? { completed: time } : {}),
    });
  };
}
