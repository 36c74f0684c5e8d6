import type { Volumes } from "../volumes/index.ts";

/** The volumes of a store. Those that a container has, running or not, cannot be removed. */
export interface StoreVolumes extends Pick<Volumes, "list" | "get" | "has" | "create" | "measure"> {
  /** IDs of the containers, running or not, that mount it. */
  usersOf(name: string): readonly string[];
  /** Fails with VOLUME_NOT_FOUND and VOLUME_IN_USE. */
  remove(name: string, options?: { readonly force?: boolean }): Promise<void>;
  /** Removes what no container uses: anonymous ones, or all. */
  prune(options?: Omit<Parameters<Volumes["prune"]>[0], "usedBy">): ReturnType<Volumes["prune"]>;
}
