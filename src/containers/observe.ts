import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootId } from "../state/index.ts";
import { hasCode } from "../sys/index.ts";
import type { ContainerRow, ContainerRun } from "./container-store.ts";
import { containerPaths, type ContainerHandle, type ContainerPaths } from "./handle.ts";
import { isRunning } from "./kernel-process.ts";
import { wantsRestart } from "./restart-policy.ts";
import type { Container, ContainerState } from "./types.ts";

/** SIGKILL, and nothing else is known. */
const killedCode = 137;
/** The machine ended under it: Docker's code for a container that its daemon finds dead after a start of the machine. */
const lostCode = 255;

/** What is known of the end of a container's process: by its monitor, or else that it was killed. */
export function readEnd(
  paths: ContainerPaths,
  boot: string | undefined,
): {
  readonly exitCode: number;
  readonly finishedMs: number;
  readonly oomKilled: boolean;
} {
  const oomKilled = existsSync(join(paths.folder, "oom"));
  try {
    const text = readFileSync(paths.exitFile, "utf8").trim();
    // a monitor that died while it wrote has left nothing
    if (text !== "") return { exitCode: Number(text), finishedMs: statSync(paths.exitFile).mtimeMs, oomKilled };
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  return { exitCode: boot === undefined || boot === bootId() ? killedCode : lostCode, finishedMs: Date.now(), oomKilled };
}

/** Whether the row says that it runs and the kernel says that it does not. */
export function isOver({ run }: Pick<ContainerRow, "run">): boolean {
  return (run.status === "running" || run.status === "paused") && !isRunning(run.process);
}

/** For the monitor to write an end down, in milliseconds: it reads first what is still in its pipes. */
const tellMs = 20_000;

/**
 * Waits for the monitor of what is over to write the exit code down: between the end of the process and that nobody knows it, and
 * {@link readEnd} would take it for killed.
 */
export async function untilTold(row: Pick<ContainerRow, "id" | "run">, root: string): Promise<void> {
  if (!isOver(row)) return;
  const { exitFile } = containerPaths(root, row.id);
  const giveUp = Date.now() + tellMs;
  while (isRunning(row.run.monitor) && !existsSync(exitFile) && Date.now() < giveUp) await sleep(5);
}

/** A container as it is now, whatever has not been recorded yet. */
export function observe(row: ContainerRow, root: string): Container {
  const { id, name, createdMs, config, mounts, run } = row;
  const paths = containerPaths(root, id);
  const over = isOver(row);
  const runs = !over && (run.status === "running" || run.status === "paused");
  return {
    id,
    name,
    createdMs,
    config,
    state: {
      ...stateOf(run),
      ...(over ? endedState(row, paths) : {}),
      ...(runs && run.process ? { pid: run.process.pid } : {}),
    },
    endpoints: runs ? run.endpoints : {},
    ports: runs ? run.ports : [],
    mounts,
    folder: paths.folder,
    logPath: config.host.log.driver === "none" ? "" : paths.log,
  };
}

/** Over, and not yet written down; the keeper of one with a policy is about to start it again. */
function endedState(
  { config, run }: ContainerRow,
  paths: ContainerPaths,
): Pick<ContainerState, "status" | "exitCode" | "oomKilled"> {
  const end = readEnd(paths, run.process?.boot);
  const again = isRunning(run.keeper) && wantsRestart({ config, run }, end.exitCode);
  return { status: again ? "restarting" : "exited", ...end };
}

function stateOf({
  status,
  exitCode,
  oomKilled,
  error,
  startedMs,
  finishedMs,
  restartCount,
  health,
}: ContainerRun): Omit<ContainerState, "pid"> {
  return {
    status,
    exitCode,
    oomKilled,
    error,
    restartCount,
    ...(startedMs === undefined ? {} : { startedMs }),
    ...(finishedMs === undefined ? {} : { finishedMs }),
    ...(health === undefined ? {} : { health }),
  };
}

/** How to reach a container that was created in the kernel and has not ended; undefined for another. */
export function handleOf({ id, config, run }: ContainerRow, root: string): ContainerHandle | undefined {
  const { process: first, monitor, runtimePath, runtimeArguments = [], monitorPath, userNamespace = false } = run;
  if (first === undefined || monitor === undefined || runtimePath === undefined || monitorPath === undefined) return undefined;
  if (!isRunning(first)) return undefined;
  const paths = containerPaths(root, id);
  const enter = ["nsenter", "--target", String(monitor.pid), ...(userNamespace ? ["--user"] : []), "--mount", "--"];
  return {
    id,
    folder: paths.folder,
    pid: first.pid,
    monitorPid: monitor.pid,
    attachSocketPath: paths.attachSocket,
    controlPath: paths.control,
    enter,
    runtime: [runtimePath, ...runtimeArguments],
    runtimePath,
    runtimeArguments,
    monitorPath,
    tty: config.tty,
    openStdin: config.openStdin,
    userNamespace,
  };
}
