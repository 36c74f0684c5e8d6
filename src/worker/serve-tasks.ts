import { closeSync, constants, mkdirSync, openSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { makePrivate, mount, unmount } from "../sys/index.ts";
import { toWire, type Reply, type Request, type WorkerSetup } from "./protocol.ts";

/** What a task is given beside its parameters. */
export interface TaskContext<Event = unknown> extends WorkerSetup {
  /** Fires when the caller gives up. */
  readonly signal: AbortSignal;
  /** Tells the caller something on the way. */
  readonly emit: (event: Event) => void;
  /** An empty folder for this task alone, in memory: mount points, bundles. Gone after the task, and with the worker. */
  readonly scratch: string;
  /**
   * A path of the caller's, as it is to the caller now. The worker's own mounts are those of the moment when it started: what
   * was mounted over a folder since is not seen in it. For files that users name, without links in the path to them.
   */
  readonly callersPath: (path: string) => string;
}

export interface TaskHandler {
  readonly name: string;
  readonly run: (params: unknown, context: TaskContext<unknown>) => Promise<unknown>;
}

/** The worker's main loop: serves calls from the parent over Node's IPC channel, ends with it. */
export function serveTasks(handlers: readonly TaskHandler[]): void {
  const byName = new Map(handlers.map((entry) => [entry.name, entry]));
  const calls = new Map<number, AbortController>();
  const callersPath = openCallersRoot();
  let setup: WorkerSetup | undefined;
  const send = (reply: Reply) => {
    if (process.connected) process.send?.(reply);
  };

  const call = async (id: number, name: string, params: unknown) => {
    const controller = new AbortController();
    calls.set(id, controller);
    try {
      const entry = byName.get(name);
      if (!entry || !setup) throw new TypeError(`the worker does not know the task ${name}`);
      const scratch = makeScratch(setup, id);
      try {
        const emit = (event: unknown) => send({ type: "event", id, event });
        send({
          type: "result",
          id,
          result: await entry.run(params, { ...setup, signal: controller.signal, emit, scratch, callersPath }),
        });
      } finally {
        removeScratch(scratch);
      }
    } catch (error) {
      send({ type: "error", id, error: toWire(error) });
    } finally {
      calls.delete(id);
    }
  };

  process.on("message", (request: Request) => {
    if (request.type === "setup") {
      setup = request.setup;
      prepareScratch(setup);
      send({ type: "ready" });
    } else if (request.type === "call") {
      void call(request.id, request.task, request.params);
    } else {
      calls.get(request.id)?.abort(new Error("canceled"));
    }
  });
  // As the first process of its pid namespace the worker gets no default action for signals; the parent decides alone.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => process.exit(143));
  process.on("disconnect", () => process.exit(0));
}

/** The caller's root is opened once more, so that nothing that is started here inherits it. */
function openCallersRoot(): TaskContext["callersPath"] {
  const root = openSync("/proc/self/fd/5", constants.O_RDONLY | constants.O_DIRECTORY);
  closeSync(5);
  return (path) => `/proc/self/fd/${root}${path}`;
}

function scratchRoot({ root }: WorkerSetup): string {
  return join(root, "mnt");
}

/** Mount points live on a tmpfs of this mount namespace: nothing of them can outlive the worker. */
function prepareScratch(setup: WorkerSetup): void {
  makePrivate("/");
  const path = scratchRoot(setup);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  mount("tmpfs", path, "tmpfs", 0, "mode=0700");
}

/**
 * Each task gets a tmpfs of its own, which is taken away as a whole with every mount in it. Deleting what is in it name by
 * name is out of the question: a mount left there would be emptied.
 */
function makeScratch(setup: WorkerSetup, id: number): string {
  const path = join(scratchRoot(setup), `task-${id}`);
  mkdirSync(path, { mode: 0o700 });
  mount("tmpfs", path, "tmpfs", 0, "mode=0700");
  return path;
}

function removeScratch(path: string): void {
  unmount(path, { detach: true });
  rmdirSync(path);
}
