import type { ChildProcess } from "node:child_process";
import { VarveError } from "../errors/index.ts";
import { fromWire, type Reply, type Request, type WorkerSetup } from "./protocol.ts";
import type { Task } from "./task.ts";

export interface WorkerOptions {
  /** Path of the module that calls `serveTasks`. */
  readonly entry: string;
  readonly root: string;
  /** Folders to look for programs in: the PATH. */
  readonly path: string;
  readonly runtime?: string;
}

/** A handle on the worker process, which starts with the first call. */
export interface Worker extends AsyncDisposable {
  /**
   * Has the worker do something. After an abort the promise settles only when the worker has cleaned up, with the
   * signal's reason.
   */
  call<Params, Result, Event>(
    task: Task<Params, Result, Event>,
    params: Params,
    options: { readonly signal: AbortSignal; readonly onEvent?: (event: Event) => void },
  ): Promise<Result>;
  /**
   * Starts the process for a call that is likely to come. Resolves as soon as it starts by itself, and never fails: the call tells why
   * there is none.
   */
  prepare(): Promise<void>;
  readonly started: boolean;
  /** Ends the process; calls under way fail. */
  close(): Promise<void>;
}

interface Call {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onEvent: ((event: unknown) => void) | undefined;
}

export function createWorker(options: WorkerOptions): Worker {
  const calls = new Map<number, Call>();
  let nextId = 1;
  let starting: Promise<ChildProcess> | undefined;
  let spawned: Promise<unknown> = Promise.resolve();

  async function start(): Promise<ChildProcess> {
    const spawning = import("./spawn-worker.ts").then(({ spawnWorker }) => spawnWorker(options));
    spawned = spawning.catch(() => undefined);
    const { child, userNamespace, problem } = await spawning;
    const setup: WorkerSetup = {
      root: options.root,
      userNamespace,
      path: options.path,
      ...(options.runtime === undefined ? {} : { runtime: options.runtime }),
    };
    return new Promise((resolve, reject) => {
      const ended = () => {
        const error = workerDied(problem());
        reject(error);
        for (const call of calls.values()) call.reject(error);
        calls.clear();
        starting = undefined;
      };
      child.once("error", ended);
      child.once("exit", ended);
      child.on("message", (reply: Reply) => {
        if (reply.type === "ready") {
          if (calls.size === 0) child.channel?.unref();
          return resolve(child);
        }
        const call = calls.get(reply.id);
        if (reply.type === "event") return call?.onEvent?.(reply.event);
        calls.delete(reply.id);
        if (calls.size === 0) child.channel?.unref();
        if (reply.type === "result") call?.resolve(reply.result);
        else call?.reject(fromWire(reply.error));
      });
      tell(child, { type: "setup", setup });
    });
  }

  const worker: Worker = {
    get started() {
      return starting !== undefined;
    },
    async prepare() {
      const coming = (starting ??= start());
      coming.catch(() => {
        if (starting === coming) starting = undefined;
      });
      await spawned;
    },
    async call(task, params, { signal, onEvent }) {
      signal.throwIfAborted();
      const child = await (starting ??= start());
      signal.throwIfAborted();
      const id = nextId++;
      const cancel = () => tell(child, { type: "cancel", id });
      signal.addEventListener("abort", cancel, { once: true });
      try {
        return await new Promise((resolve, reject) => {
          calls.set(id, { resolve: resolve as Call["resolve"], reject, onEvent: onEvent as Call["onEvent"] });
          child.channel?.ref();
          tell(child, { type: "call", id, task: task.name, params }, (cause) => {
            if (calls.delete(id)) reject(workerDied(cause.message));
          });
        });
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      } finally {
        signal.removeEventListener("abort", cancel);
      }
    },
    async close() {
      if (!starting) return;
      const child = await starting;
      child.removeAllListeners("exit");
      child.ref();
      const gone = new Promise((resolve) => child.once("exit", resolve));
      // The whole namespace goes with its first process; there is nothing left to ask of it.
      child.kill("SIGKILL");
      await gone;
      for (const call of calls.values()) call.reject(new VarveError("CANCELED", "the worker was closed"));
      calls.clear();
      starting = undefined;
    },
    [Symbol.asyncDispose]: () => worker.close(),
  };
  return worker;
}

/** A message that a dead worker does not take is not an error of its own: its exit is told. Without this each would be thrown. */
function tell(child: ChildProcess, request: Request, onFailure: (error: Error) => void = () => undefined): void {
  child.send(request, (error) => {
    if (error !== null) onFailure(error);
  });
}

function workerDied(problem: string): VarveError {
  return new VarveError("WORKER_DIED", "the worker process ended unexpectedly", { cause: new Error(problem || "no output") });
}
