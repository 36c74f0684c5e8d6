import { isVarveError, VarveError } from "../errors/index.ts";
import { attachStreams } from "./attach.ts";
import type { ContainerRow } from "./container-store.ts";
import type { CopyPlace } from "./copies.ts";
import { untilFree, withFiles } from "./copy-holds.ts";
import { checkName, createContainer } from "./create.ts";
import { execAloud } from "./exec-aloud.ts";
import { findContainer } from "./find-container.ts";
import { pauseContainer, unpauseContainer } from "./freeze.ts";
import { containerPaths, type ContainerHandle } from "./handle.ts";
import { handleOf, isOver, observe, untilTold } from "./observe.ts";
import { isRunning } from "./kernel-process.ts";
import { probe } from "./probe.ts";
import { pruneContainers } from "./prune.ts";
import { isKept, recordEnd, settleLocked } from "./record-end.ts";
import { removeContainer } from "./remove.ts";
import { openContainerRoom, type ContainerRoom, type ContainersOptions } from "./room.ts";
import { startLocked } from "./start.ts";
import { exitCodeOf, killContainer, stopContainer } from "./stop.ts";
import type { Attached, AttachOptions, Containers } from "./types.ts";

/** The containers of a store, with what only the engine asks of them. */
export interface ContainersRoom extends Containers {
  /** Does what a process of `helperCommand` was started for. */
  help(words: readonly string[]): Promise<void>;
}

export function openContainers(options: ContainersOptions): ContainersRoom {
  const room = openContainerRoom(options);
  const { store, root } = room;

  interface StartNow {
    readonly attach?: AttachOptions | undefined;
    readonly signal?: AbortSignal | undefined;
  }

  /** What a container still has whose processes were all killed is given back when another one asks for it. */
  async function startNow(name: string, options: StartNow = {}): Promise<Attached | undefined> {
    try {
      return await startOnce(name, options);
    } catch (error) {
      if (!isVarveError(error) || !["NETWORK_PORT_TAKEN", "NETWORK_ADDRESS_TAKEN"].includes(error.code)) throw error;
      await sweep(room);
      return await startOnce(name, options);
    }
  }

  async function startOnce(name: string, { attach, signal }: StartNow): Promise<Attached | undefined> {
    const { id } = findContainer(store, name);
    const startUnlessTaken = async (): Promise<{ readonly attached: Attached | undefined } | "taken"> => {
      const row = await settled(room, id, name);
      if (row.run.status === "paused")
        throw new VarveError("CONTAINER_CONFLICT", "cannot start a paused container, try unpause instead");
      if (row.run.status === "running") return { attached: attach && (await attachTo(needHandle(row, root), attach, id)) };
      if (room.copies.isTaken(id)) return "taken";
      let attached: Attached | undefined;
      const beforeStart = async (handle: ContainerHandle) => {
        if (attach !== undefined) attached = await attachTo(handle, attach, id);
      };
      try {
        await startLocked(room, row, { beforeStart, signal });
      } catch (error) {
        attached?.detach();
        throw error;
      }
      return { attached };
    };
    for (;;) {
      const started = await room.locked(id, startUnlessTaken, { signal });
      if (started !== "taken") return started.attached;
      await untilFree(room, id, { signal });
    }
  }

  const attachTo = async (handle: ContainerHandle, attach: AttachOptions, id: string): Promise<Attached> => {
    const { generation } = store.get(id)?.run ?? { generation: 0 };
    return await attachStreams(handle, attach, async () => {
      const row = store.get(id);
      return await exitCodeOf(room, row?.run.generation === generation ? row : ({ id, run: { generation } } as ContainerRow));
    });
  };

  const tell = (id: string, action: string, attributes: Readonly<Record<string, string>> = {}): void => {
    const row = store.get(id);
    if (row !== undefined) room.events.tell(row, action, { attributes });
  };

  return {
    async list() {
      await sweep(room);
      await Promise.all(store.list().map(async (row) => await untilTold(row, root)));
      return store.list().map((row) => observe(row, root));
    },
    async get(name) {
      await untilTold(findContainer(store, name), root);
      return observe(findContainer(store, name), root);
    },
    create: async (request, create = {}) => await createContainer(room, request, create),
    start: startNow,
    stop: async (name, stop = {}) => await stopContainer(room, name, stop),
    async restart(name, restart = {}) {
      const { id } = findContainer(store, name);
      await stopContainer(room, id, restart);
      await startNow(id, { signal: restart.signal });
      tell(id, "restart");
    },
    async restore({ signal } = {}) {
      const { restoreContainers } = await import("./restore.ts");
      await sweep(room);
      return await restoreContainers(room, async (id) => await startNow(id, { signal }));
    },
    kill: async (name, { killSignal } = {}) => await killContainer(room, name, killSignal),
    pause: async (name) => await pauseContainer(room, name),
    unpause: async (name) => await unpauseContainer(room, name),
    remove: async (name, remove = {}) => await removeContainer(room, name, remove),
    async rename(name, newName) {
      const { id, name: oldName } = findContainer(store, name);
      checkName(room, newName);
      const plain = newName.replace(/^\//, "");
      if (!store.rename(id, plain)) checkName(room, newName);
      await room.networks.rename(id, plain);
      tell(id, "rename", { oldName: `/${oldName}` });
    },
    async update(name, request) {
      const { updateContainer } = await import("./update.ts");
      return await updateContainer(room, name, request);
    },
    async connect(name, network, connect = {}) {
      const { connectNetwork } = await import("./connect.ts");
      await connectNetwork(room, name, network, connect);
    },
    async disconnect(name, network, disconnect = {}) {
      const { disconnectNetwork } = await import("./connect.ts");
      await disconnectNetwork(room, name, network, disconnect);
    },
    wait: async (name, wait = {}) => await waitFor(room, name, wait),
    async attach(name, attach) {
      const row = findContainer(store, name);
      if (row.run.status === "paused")
        throw new VarveError("CONTAINER_CONFLICT", "You cannot attach to a paused container, unpause it first");
      if (row.run.status !== "running" || isOver(row))
        throw new VarveError("CONTAINER_CONFLICT", "You cannot attach to a stopped container, start it first");
      const attached = await attachTo(needHandle(row, root), attach, row.id);
      tell(row.id, "attach");
      return attached;
    },
    async exec(name, request, exec = {}) {
      const row = findContainer(store, name);
      if (row.run.status === "paused")
        throw new VarveError("CONTAINER_CONFLICT", `container ${row.id} is paused, unpause the container before exec`);
      if (row.run.status !== "running" || isOver(row))
        throw new VarveError("CONTAINER_CONFLICT", `container ${row.id} is not running`);
      return await execAloud(room, row, { handle: needHandle(row, root), request }, exec);
    },
    async *logs(name, logs) {
      const { readLogs } = await import("./logs.ts");
      const row = findContainer(store, name);
      if (row.config.host.log.driver === "none")
        throw new VarveError("CONTAINER_CONFLICT", "configured logging driver does not support reading");
      // the monitor writes what was still in its pipes when the container's process is gone; as in Docker the end of each run is one of
      // the log too, whatever its policy says: it would be by chance, by whether that was known at the last look
      const isOpen = () => isRunning(store.get(row.id)?.run.monitor);
      yield* readLogs({ path: containerPaths(root, row.id).log, isOpen }, logs);
    },
    async top(name, psArguments = []) {
      const { listProcesses, runPs } = await import("./processes.ts");
      const row = findContainer(store, name);
      const pids = await listProcesses(needHandle(row, root), { path: room.path, hostPids: row.config.host.pidMode === "host" });
      tell(row.id, "top");
      return await runPs(pids, { psArguments, path: room.path });
    },
    async stats(name) {
      const { listProcesses } = await import("./processes.ts");
      const { readStats } = await import("./read-stats.ts");
      const row = findContainer(store, name);
      const handle = needHandle(row, root);
      const pids = await listProcesses(handle, { path: room.path, hostPids: row.config.host.pidMode === "host" });
      return readStats(row.id, handle.pid, { pids, nowMs: Date.now() });
    },
    async *copyOut(name, path, copy) {
      const { createCopies } = await import("./copies.ts");
      tell(findContainer(store, name).id, "archive-path");
      yield* createCopies({ withPlace, path: room.path }).copyOut(name, path, copy);
    },
    async copyIn(name, path, archive, copy) {
      const { createCopies } = await import("./copies.ts");
      await createCopies({ withPlace, path: room.path }).copyIn(name, path, archive, copy);
      tell(findContainer(store, name).id, "extract-to-dir");
    },
    async removePaths(name, paths, remove) {
      const { createCopies } = await import("./copies.ts");
      await createCopies({ withPlace, path: room.path }).removePaths(name, paths, remove);
    },
    async statPath(name, path, stat) {
      const { createCopies } = await import("./copies.ts");
      return await createCopies({ withPlace, path: room.path }).statPath(name, path, stat);
    },
    async changes(name, { signal = new AbortController().signal } = {}) {
      const { findChanges } = await import("./changes.ts");
      return (await findChanges(room, findContainer(store, name), { signal })).changes;
    },
    async commit(name, commit = {}) {
      const { commitContainer } = await import("./commit.ts");
      const find = ({ id }: ContainerRow): string => id;
      const work = async (id: string) => await commitContainer(room, id, commit);
      return await withFiles(room, findContainer(store, name).id, { find, work }, commit);
    },
    async *export(name, options) {
      const { createCopies } = await import("./copies.ts");
      yield* createCopies({ withPlace, path: room.path }).exportFiles(name, options);
      tell(findContainer(store, name).id, "export");
    },
    events: (events = {}) => room.events.read({ ...events, sweep: async () => await sweep(room) }),
    async size(name) {
      const { measureContainer } = await import("./measure.ts");
      return await measureContainer(room, findContainer(store, name));
    },
    prune: async (prune = {}) => await pruneContainers(room, prune),
    async help([task, id = "", generation = "0", how]) {
      if (task === "exited") await recordEnd(room, id, Number(generation), { alone: how === "ended" });
      else if (task === "probe") await probe(room, id, Number(generation));
      else if (task === "rotate") await (await import("./rotate-log.ts")).rotateLogs(room, id, Number(generation));
      else throw new TypeError(`containers do not know the task ${task}`);
    },
  };

  async function withPlace<T>(
    name: string,
    work: (place: CopyPlace) => Promise<T>,
    { bare = false, signal }: { readonly bare?: boolean; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    const { bareOf, placeOf } = await import("./copy-place.ts");
    const place = bare ? bareOf : placeOf;
    return await withFiles(
      room,
      findContainer(store, name).id,
      {
        find: (row) => place(room, row),
        work: async (found, onProcess) => await work(onProcess === undefined ? found : { ...found, onProcess }),
      },
      { signal },
    );
  }
}

function needHandle(row: ContainerRow, root: string): ContainerHandle {
  const handle = handleOf(row, root);
  if (handle !== undefined) return handle;
  throw new VarveError("CONTAINER_CONFLICT", `container ${row.id} is not running`);
}

/** The row with the end of its last run recorded. Only with the lock. */
async function settled(room: ContainerRoom, id: string, name: string): Promise<ContainerRow> {
  const row = room.store.get(id);
  if (row !== undefined) await settleLocked(room, row);
  const now = room.store.get(id);
  if (now === undefined || now.run.status === "removing")
    throw new VarveError("CONTAINER_NOT_FOUND", `No such container: ${name}`);
  return now;
}

/** Records the ends that nobody else will: of containers whose keeper died, too. */
async function sweep(room: ContainerRoom): Promise<void> {
  for (const row of room.store.list()) {
    const { id, run } = row;
    if ((run.status !== "restarting" && !isOver(row)) || isKept(run)) continue;
    await room.locked(id, async () => {
      const now = room.store.get(id);
      if (now === undefined || now.run.generation !== run.generation) return;
      if (now.run.status === "restarting" && !isKept(now.run)) room.store.change(id, (last) => ({ ...last, status: "exited" }));
      else await settleLocked(room, now);
    });
  }
  await room.networks.sweep((id) => room.store.get(id) !== undefined);
}

async function waitFor(
  room: ContainerRoom,
  name: string,
  { until = "not-running", signal }: Parameters<Containers["wait"]>[1] & object,
): Promise<number> {
  const row = findContainer(room.store, name);
  const code =
    until === "next-exit" || row.run.status === "running" || row.run.status === "paused"
      ? await exitCodeOf(room, row, signal)
      : row.run.exitCode;
  if (until !== "removed") return code;
  const { setTimeout: sleep } = await import("node:timers/promises");
  while (room.store.get(row.id) !== undefined) await sleep(20, undefined, signal === undefined ? {} : { signal });
  return code;
}
