import { measureTask } from "../cache-mounts/index.ts";
import { openNetworks, type Networks } from "../networks/index.ts";
import { removeTask } from "../ops/index.ts";
import { openVolumes, type Volumes } from "../volumes/index.ts";
import { findVolumeUsers } from "../containers/index.ts";
import type { StoreVolumes } from "./container-types.ts";
import type { Parts } from "./parts.ts";

export function openStoreNetworks({
  state,
  root,
  path,
  onWarning,
}: Pick<Parts, "state" | "root" | "path" | "onWarning">): Networks {
  return openNetworks({ state, root, path, onWarning });
}

export function openStoreVolumes({ state, root, worker }: Pick<Parts, "state" | "root" | "worker">): Volumes {
  const { signal } = new AbortController();
  return openVolumes({
    state,
    root,
    privileged: {
      remove: async (paths) => await worker.call(removeTask, { paths }, { signal }),
      measure: async (folder) => {
        const [measured] = await worker.call(measureTask, { folders: [folder] }, { signal });
        return measured?.bytes ?? 0;
      },
    },
  });
}

/** The networks of a store, opened with the first question. */
export function createNetworks(needParts: () => Parts): Networks {
  let opened: Networks | undefined;
  const open = (): Networks => (opened ??= openStoreNetworks(needParts()));
  return {
    list: () => open().list(),
    get: (name) => open().get(name),
    create: async (request) => await open().create(request),
    remove: async (name) => await open().remove(name),
    members: (networkId) => open().members(networkId),
    reserve: async (attachment, options) => await open().reserve(attachment, options),
    attach: async (...words) => await open().attach(...words),
    detach: async (containerId) => await open().detach(containerId),
    connect: async (...words) => await open().connect(...words),
    disconnect: async (...words) => await open().disconnect(...words),
    check: (wish) => open().check(wish),
    files: (attachment) => open().files(attachment),
    rename: async (...words) => await open().rename(...words),
    sweep: async (isAlive) => await open().sweep(isAlive),
  };
}

/** The volumes of a store, opened with the first question. */
export function createVolumes(needParts: () => Parts): StoreVolumes {
  let opened: Volumes | undefined;
  const open = (): Volumes => (opened ??= openStoreVolumes(needParts()));
  const usedBy = (volume: string): readonly string[] => findVolumeUsers(needParts(), volume);
  return {
    list: () => open().list(),
    get: (name) => open().get(name),
    has: (name) => open().has(name),
    create: async (request) => await open().create(request),
    measure: async (name) => await open().measure(name),
    usersOf: usedBy,
    remove: async (name, options) => await open().remove(name, { ...options, usedBy }),
    prune: async (options) => await open().prune({ ...options, usedBy }),
  };
}
