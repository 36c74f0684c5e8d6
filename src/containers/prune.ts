import { VarveError } from "../errors/index.ts";
import type { ContainerRow } from "./container-store.ts";
import { measureContainer } from "./measure.ts";
import { isOver } from "./observe.ts";
import { removeLocked } from "./remove.ts";
import type { ContainerRoom } from "./room.ts";
import type { Containers } from "./types.ts";

/** Removes containers that do not run. Filters as `docker container prune` has them: `until`, `label`, `label!`. */
export async function pruneContainers(
  room: ContainerRoom,
  {
    filters = {},
    dryRun = false,
  }: { readonly filters?: Readonly<Record<string, readonly string[]>>; readonly dryRun?: boolean } = {},
): ReturnType<Containers["prune"]> {
  const accepts = readFilters(filters);
  const removed: string[] = [];
  let freedBytes = 0;
  for (const { id } of room.store.list()) {
    await room.locked(id, async () => {
      const row = room.store.get(id);
      if (row === undefined || !accepts(row)) return;
      const rests = ["created", "exited", "dead"].includes(row.run.status) || isOver(row);
      if (!rests || room.copies.isTaken(id)) return;
      // as Docker counts; what the disk has more of would be what others wrote and removed meanwhile as well
      freedBytes += dryRun ? 0 : (await measureContainer(room, row)).writtenBytes;
      if (!dryRun) await removeLocked(room, row, { volumes: false });
      removed.push(id);
    });
  }
  return { removed, freedBytes };
}

function readFilters(filters: Readonly<Record<string, readonly string[]>>): (row: ContainerRow) => boolean {
  const tests = Object.entries(filters).flatMap(([key, values]) =>
    values.map((value): ((row: ContainerRow) => boolean) => {
      if (key === "until") return ({ createdMs }) => createdMs < Number(value);
      if (key === "label") return ({ config }) => hasLabel(config.labels, value);
      if (key === "label!") return ({ config }) => !hasLabel(config.labels, value);
      throw new VarveError("CONTAINER_INVALID", `invalid filter '${key}'`);
    }),
  );
  return (row) => tests.every((test) => test(row));
}

/** `KEY` or `KEY=VALUE`. */
export function hasLabel(labels: Readonly<Record<string, string>>, text: string): boolean {
  const at = text.indexOf("=");
  const key = at < 0 ? text : text.slice(0, at);
  return Object.hasOwn(labels, key) && (at < 0 || labels[key] === text.slice(at + 1));
}
