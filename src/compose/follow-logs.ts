import type { LogLine } from "../containers/index.ts";
import { isVarveError } from "../errors/index.ts";
import { sleep } from "../flow/index.ts";
import type { ComposeEngine } from "./engine.ts";
import type { Observed } from "./observed.ts";

export interface FollowOptions {
  readonly follow?: boolean;
  /** The last so many lines of each container. */
  readonly tail?: number;
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly signal?: AbortSignal;
  readonly onLine: (container: Observed, line: LogLine) => void;
  /** A container that was followed has ended: for good, or until its policy starts it again. */
  readonly onExit?: (container: Observed, exitCode: number, options?: { readonly isRestarting?: boolean }) => void;
}

/** The logs of several containers, as they come. Containers may be added while others are followed, also again when they had ended. */
export interface LogFollower {
  add(container: Observed, options?: { readonly sinceMs?: number }): void;
  /** Resolves when all that was added has ended; throws the first failure. An aborted signal is an end as any other. */
  done(): Promise<void>;
}

export function followLogs({ containers }: Pick<ComposeEngine, "containers">, options: FollowOptions): LogFollower {
  const running: Promise<void>[] = [];
  const ids = new Set<string>();
  return {
    add(container, own = {}) {
      if (ids.has(container.id)) return;
      ids.add(container.id);
      const work = followOne(containers, container, { ...options, ...own }).finally(() => ids.delete(container.id));
      // whoever waits for all gets the failure; until then it is nobody's
      work.catch(() => undefined);
      running.push(work);
    },
    async done() {
      for (let count = -1; count !== running.length;) {
        count = running.length;
        await Promise.all(running);
      }
    },
  };
}

/** Until the container is started again by its policy: how often it is looked at. */
const pollMs = 200;

async function followOne(containers: ComposeEngine["containers"], container: Observed, options: FollowOptions): Promise<void> {
  const { onLine, onExit, follow = false, signal, tail, untilMs } = options;
  let sinceMs = options.sinceMs;
  let last: string | undefined;
  try {
    for (;;) {
      const lines = containers.logs(container.id, {
        follow,
        ...(last === undefined && tail !== undefined ? { tail } : {}),
        ...(sinceMs === undefined ? {} : { sinceMs }),
        ...(untilMs === undefined ? {} : { untilMs }),
        ...(signal === undefined ? {} : { signal }),
      });
      for await (const line of lines) {
        // of what was read before it was started again, nothing is said twice
        if (last !== undefined && line.timestamp <= last) continue;
        onLine(container, line);
        sinceMs = Math.floor(line.timeMs);
        last = line.timestamp;
      }
      if (!follow) return;
      for (let isTold = false; ;) {
        const { state } = await containers.get(container.id);
        if (state.status === "exited" || state.status === "dead" || state.status === "created") {
          onExit?.(container, state.exitCode);
          return;
        }
        if (state.status === "restarting" && !isTold) {
          isTold = true;
          onExit?.(container, state.exitCode, { isRestarting: true });
        }
        await sleep(pollMs, signal === undefined ? {} : { signal });
        if (state.status === "running" || state.status === "paused") break;
      }
    }
  } catch (error) {
    if (signal?.aborted === true) return;
    if (isVarveError(error) && error.code === "CONTAINER_NOT_FOUND") return onExit?.(container, 0);
    throw error;
  }
}
