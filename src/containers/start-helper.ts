import { spawn } from "node:child_process";
import type { ContainerRow } from "./container-store.ts";
import { findProcess, type KernelProcess } from "./kernel-process.ts";
import type { ContainerRoom } from "./room.ts";

/** Starts a process that looks after a run of a container and outlives this one; undefined where none can be started. */
export function startHelper(
  { helperCommand, path }: Pick<ContainerRoom, "helperCommand" | "path">,
  task: string,
  { id, run }: Pick<ContainerRow, "id" | "run">,
): KernelProcess | undefined {
  const [program, ...args] = [...helperCommand, task, id, String(run.generation)];
  const child = spawn(program, args, { detached: true, cwd: "/", stdio: "ignore", env: { PATH: path, LANG: "C.UTF-8" } });
  child.on("error", () => undefined); // there is no process then
  child.unref();
  return child.pid === undefined ? undefined : findProcess(child.pid);
}
