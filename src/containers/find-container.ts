import { VarveError } from "../errors/index.ts";
import type { ContainerRow, ContainerStore } from "./container-store.ts";

/** By whole ID, by name (with or without Docker's slash), by the beginning of an ID. */
export function findContainer(store: ContainerStore, name: string): ContainerRow {
  const found = store.get(name) ?? store.byName(name.replace(/^\//, ""));
  if (found !== undefined) return found;
  const fitting = /^[0-9a-f]{1,64}$/.test(name) ? store.byIdPrefix(name) : [];
  if (fitting.length > 1) throw new VarveError("CONTAINER_AMBIGUOUS", `multiple IDs found with provided prefix: ${name}`);
  const [only] = fitting;
  if (only === undefined) throw new VarveError("CONTAINER_NOT_FOUND", `No such container: ${name}`);
  return only;
}
