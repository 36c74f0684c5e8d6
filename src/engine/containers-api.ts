import type { Containers, ContainersRoom } from "../containers/index.ts";

/** The API of the library: each call opens what it needs. */
export function createContainers(
  open: () => Promise<ContainersRoom>,
  track: <T>(run: Promise<T>) => Promise<T>,
  closing: AbortSignal,
): Containers {
  const call = async <T>(work: (containers: ContainersRoom) => Promise<T>): Promise<T> =>
    await track((async () => await work(await open()))());
  const withSignal = <T extends { readonly signal?: AbortSignal }>(
    given: T | undefined,
  ): T & { readonly signal: AbortSignal } => ({
    ...(given ?? ({} as T)),
    signal: given?.signal === undefined ? closing : AbortSignal.any([closing, given.signal]),
  });
  return {
    list: async () => await call((containers) => containers.list()),
    get: async (name) => await call((containers) => containers.get(name)),
    create: async (request, options) => await call((containers) => containers.create(request, withSignal(options))),
    start: async (name, options) => await call((containers) => containers.start(name, withSignal(options))),
    stop: async (name, options) => await call((containers) => containers.stop(name, withSignal(options))),
    restart: async (name, options) => await call((containers) => containers.restart(name, withSignal(options))),
    restore: async (options) => await call((containers) => containers.restore(withSignal(options))),
    kill: async (name, options) => await call((containers) => containers.kill(name, options)),
    pause: async (name) => await call((containers) => containers.pause(name)),
    unpause: async (name) => await call((containers) => containers.unpause(name)),
    remove: async (name, options) => await call((containers) => containers.remove(name, options)),
    rename: async (name, newName) => await call((containers) => containers.rename(name, newName)),
    update: async (name, request) => await call((containers) => containers.update(name, request)),
    connect: async (name, network, options) => await call((containers) => containers.connect(name, network, withSignal(options))),
    disconnect: async (name, network, options) =>
      await call((containers) => containers.disconnect(name, network, withSignal(options))),
    wait: async (name, options) => await call((containers) => containers.wait(name, withSignal(options))),
    attach: async (name, options) => await call((containers) => containers.attach(name, options)),
    exec: async (name, request, options) => await call((containers) => containers.exec(name, request, withSignal(options))),
    async *logs(name, options) {
      yield* (await open()).logs(name, withSignal(options));
    },
    top: async (name, psArguments) => await call((containers) => containers.top(name, psArguments)),
    stats: async (name) => await call((containers) => containers.stats(name)),
    async *copyOut(name, path, options) {
      yield* (await open()).copyOut(name, path, withSignal(options));
    },
    copyIn: async (name, path, archive, options) =>
      await call((containers) => containers.copyIn(name, path, archive, withSignal(options))),
    removePaths: async (name, paths, options) =>
      await call((containers) => containers.removePaths(name, paths, withSignal(options))),
    statPath: async (name, path, options) => await call((containers) => containers.statPath(name, path, withSignal(options))),
    changes: async (name, options) => await call((containers) => containers.changes(name, withSignal(options))),
    commit: async (name, options) => await call((containers) => containers.commit(name, withSignal(options))),
    async *export(name, options) {
      yield* (await open()).export(name, withSignal(options));
    },
    async *events(options) {
      yield* (await open()).events(withSignal(options));
    },
    size: async (name) => await call((containers) => containers.size(name)),
    prune: async (options) => await call((containers) => containers.prune(options)),
  };
}
