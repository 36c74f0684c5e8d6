import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { mkdirSync, openSync, closeSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isOwnerAlive, ownerOf } from "../state/index.ts";

/** A process that outlives this one, named by the text that `ownerOf` makes. */
export interface Lasting {
  readonly child: ChildProcess;
  readonly owner: string;
}

/**
 * Starts a process that outlives this one, in a session of its own; what it says goes to a file of the folder. Resolves when it
 * runs, not when it is ready: then it is to be unref'd, so that nobody waits for its end.
 */
export async function startLasting(
  command: readonly string[],
  options: {
    readonly folder: string;
    readonly name: string;
    /** From fd 3 on. */
    readonly further?: readonly ("ipc" | "pipe")[];
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<Lasting> {
  const [program = "", ...args] = command;
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const log = openSync(logPath(options), "w", 0o600);
  try {
    const stdio: StdioOptions = ["ignore", log, log, ...(options.further ?? [])];
    const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8", ...options.env };
    const child = spawn(program, args, { stdio, detached: true, cwd: "/", env });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    return { child, owner: ownerOf(child.pid ?? 0) };
  } finally {
    closeSync(log);
  }
}

/** What a process of {@link startLasting} said, in one line. */
export function lastWords(options: { readonly folder: string; readonly name: string }): string {
  return readFileSync(logPath(options), "utf8").trim().split("\n").join("; ");
}

/** Removes what a process of {@link startLasting} said. */
export function forgetWords(options: { readonly folder: string; readonly name: string }): void {
  rmSync(logPath(options), { force: true });
}

function logPath({ folder, name }: { readonly folder: string; readonly name: string }): string {
  return join(folder, `${name}.log`);
}

/** The process ID in an owner text, if that process is alive. */
export function livingPid(owner: string | undefined): number | undefined {
  return owner === undefined || !isOwnerAlive(owner) ? undefined : Number(owner.split(":")[2]);
}

/** Ends a process and waits until it is gone. */
export async function end(owner: string | undefined): Promise<void> {
  for (let pid = livingPid(owner); pid !== undefined; pid = livingPid(owner)) {
    signalIfThere(pid, "SIGKILL");
    await sleep(2);
  }
}

export function signalIfThere(pid: number, signal: "SIGKILL" | "SIGHUP"): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
