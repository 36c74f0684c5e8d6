import { setTimeout as sleep } from "node:timers/promises";
import { isOwnerAlive, processOwner, type State } from "../state/index.ts";

/**
 * Runs work with a container to itself: no other process, and no other work of this one, starts, stops or removes it meanwhile. A
 * lock of a process that died is free.
 */
export type ContainerLock = <T>(
  id: string,
  work: () => Promise<T>,
  options?: { readonly signal?: AbortSignal | undefined },
) => Promise<T>;

const pollMs = 10;

export function createContainerLock({ state }: { readonly state: State }): ContainerLock {
  const waiting = new Map<string, Promise<unknown>>();

  const take = (id: string): boolean =>
    state.transaction(() => {
      const owner = state.get<{ owner: string }>("SELECT owner FROM container_locks WHERE id = ?", id)?.owner;
      if (owner !== undefined && isOwnerAlive(owner)) return false;
      state.run("INSERT OR REPLACE INTO container_locks (id, owner) VALUES (?, ?)", id, processOwner());
      return true;
    });

  async function locked<T>(id: string, work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    while (!take(id)) await sleep(pollMs, undefined, signal === undefined ? {} : { signal });
    try {
      return await work();
    } finally {
      state.run("DELETE FROM container_locks WHERE id = ? AND owner = ?", id, processOwner());
    }
  }

  return async (id, work, { signal } = {}) => {
    const before = waiting.get(id) ?? Promise.resolve();
    const mine = before.then(
      () => locked(id, work, signal),
      () => locked(id, work, signal),
    );
    waiting.set(id, mine);
    try {
      return await mine;
    } finally {
      if (waiting.get(id) === mine) waiting.delete(id);
    }
  };
}
