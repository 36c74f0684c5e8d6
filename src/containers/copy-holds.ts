import { setTimeout as sleep } from "node:timers/promises";
import { VarveError } from "../errors/index.ts";
import { isOwnerAlive, processOwner, type State } from "../state/index.ts";
import { findContainer } from "./find-container.ts";
import { findProcess, isRunning, signalProcess, untilGone, type KernelProcess } from "./kernel-process.ts";
import { handleOf } from "./observe.ts";
import type { ContainerRoom } from "./room.ts";
import type { ContainerRow } from "./container-store.ts";

export const copiesSchema = `
CREATE TABLE IF NOT EXISTS container_copies ( -- who reads or writes the files of a container that does not run
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  owner TEXT NOT NULL, -- process that asked for it
  process TEXT         -- JSON: KernelProcess that does it
);
`;

const pollMs = 20;
/** For the kernel to end a copy that was killed, in milliseconds. */
const killMs = 20_000;

/**
 * Who has the files of a container that does not run, one at a time. Longer than a lock is held: what starts it waits, what removes it
 * ends them, and nobody else minds.
 */
export interface CopyHolds {
  /** Undefined while another one has them. Only with the container's lock. */
  take(id: string): CopyHold | undefined;
  isTaken(id: string): boolean;
  /** Ends those who have them. Only with the lock. */
  end(id: string): Promise<void>;
}

export interface CopyHold {
  /** Names the process at work; one that is not wanted any more is killed. */
  readonly onProcess: (pid: number) => void;
  /** False when it was ended. */
  release(): boolean;
}

interface Row {
  readonly number: number;
  readonly owner: string;
  readonly process: string | null;
}

export function openCopyHolds({ state }: { readonly state: State }): CopyHolds {
  const list = (id: string) => state.all<Row>("SELECT number, owner, process FROM container_copies WHERE id = ?", id);
  const processOf = ({ process }: Row) => (process === null ? undefined : (JSON.parse(process) as KernelProcess));
  const isAlive = (row: Row): boolean => {
    const process = processOf(row);
    return isOwnerAlive(row.owner) || isRunning(process);
  };
  return {
    take(id) {
      if (list(id).some(isAlive)) return undefined;
      state.run("DELETE FROM container_copies WHERE id = ?", id);
      const { lastId: number } = state.run("INSERT INTO container_copies (id, owner) VALUES (?, ?)", id, processOwner());
      return {
        onProcess(pid) {
          const process = findProcess(pid);
          if (process === undefined) return;
          const { changes } = state.run(
            "UPDATE container_copies SET process = ? WHERE number = ?",
            JSON.stringify(process),
            number,
          );
          if (changes === 0) signalProcess(process, "SIGKILL");
        },
        release: () => state.run("DELETE FROM container_copies WHERE number = ?", number).changes > 0,
      };
    },
    isTaken: (id) => list(id).some(isAlive),
    async end(id) {
      const rows = list(id);
      state.run("DELETE FROM container_copies WHERE id = ?", id);
      for (const process of rows.map(processOf))
        if (signalProcess(process, "SIGKILL")) await untilGone(process, { timeoutMs: killMs });
    },
  };
}

/**
 * Does something with the files of a container: at once where it runs, else when nobody else has them. `find` says where they are while
 * nothing can change; `work` is done without the container's lock.
 */
export async function withFiles<P, T>(
  room: ContainerRoom,
  id: string,
  {
    find,
    work,
  }: {
    readonly find: (row: ContainerRow) => P;
    readonly work: (place: P, onProcess?: (pid: number) => void) => Promise<T>;
  },
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  for (;;) {
    const row = findContainer(room.store, id);
    if (handleOf(row, room.root) !== undefined) return await work(find(row));
    const takeNow = (): { readonly hold: CopyHold; readonly place: P } | undefined => {
      const now = findContainer(room.store, id);
      const hold = handleOf(now, room.root) === undefined ? room.copies.take(id) : undefined;
      return hold && { hold, place: find(now) };
    };
    const taken = await room.locked(id, async () => await Promise.resolve(takeNow()), { signal });
    if (taken === undefined) {
      await sleep(pollMs, undefined, signal === undefined ? {} : { signal });
      continue;
    }
    const { hold, place } = taken;
    try {
      const result = await work(place, hold.onProcess);
      if (hold.release()) return result;
    } catch (error) {
      if (hold.release()) throw error;
    }
    throw new VarveError("CONTAINER_CONFLICT", `container ${id} was removed meanwhile`);
  }
}

/** Waits until nobody has the files of a container that does not run. */
export async function untilFree(
  room: ContainerRoom,
  id: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  while (room.copies.isTaken(id)) await sleep(pollMs, undefined, signal === undefined ? {} : { signal });
}
