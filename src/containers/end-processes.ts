import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { constants } from "node:os";
import { listCgroup, removeCgroup } from "../runtime/index.ts";
import { hasCode } from "../sys/index.ts";
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerRun } from "./container-store.ts";
import { findProcess, isRunning, signalProcess, untilGone, type KernelProcess } from "./kernel-process.ts";

const run = promisify(execFile);

/** How long the kernel may take to end what was killed, in milliseconds: a process in the middle of a write is waited for. */
const killMs = 20_000;

/**
 * Sends a signal to a container's first process. Without root it may run as a subordinate id, which only a process of its user
 * namespace may signal. False when it is gone.
 */
export async function signalContainer({ process: first, userNamespace }: ContainerRun, signal: number): Promise<boolean> {
  if (first === undefined || !isRunning(first)) return false;
  try {
    return signalProcess(first, signal);
  } catch (error) {
    if (!hasCode(error, "EPERM") || userNamespace !== true) throw error;
  }
  try {
    await run("nsenter", ["--user", "--target", String(first.pid), "--", "kill", `-${signal}`, String(first.pid)]);
    return true;
  } catch (error) {
    if (!isRunning(first)) return false;
    throw error;
  }
}

/**
 * Ends all processes of a container that its end has left, the monitor too, and removes its cgroups. What is in a pid namespace of
 * its own goes with its first process.
 */
export async function endProcesses(last: ContainerRun): Promise<void> {
  await killFor(last, last.process);
  if (signalProcess(last.monitor, "SIGKILL")) await untilGone(last.monitor, { timeoutMs: killMs });
  await dropCgroup(last.cgroupsPath);
}

/** Ends those who would look after a container that is to be no more. Only with its lock: then none of them is at work. */
export async function endHelpers({ keeper, prober, rotator }: ContainerRun): Promise<void> {
  for (const helper of [keeper, prober, rotator]) {
    if (helper === undefined || helper.pid === process.pid) continue;
    if (signalProcess(helper, "SIGKILL")) await untilGone(helper, { timeoutMs: killMs });
  }
}

async function killFor(last: ContainerRun, first: KernelProcess | undefined): Promise<void> {
  if (first === undefined) return;
  if (await signalContainer(last, constants.signals.SIGKILL)) await untilGone(first, { timeoutMs: killMs });
}

/** Processes that are just being ended keep their cgroup for a moment. */
async function dropCgroup(cgroupsPath: string | undefined): Promise<void> {
  if (cgroupsPath === undefined || cgroupsPath === "") return;
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (removeCgroup(cgroupsPath)) return;
    // of a container without a pid namespace of its own
    for (const pid of listCgroup(cgroupsPath)) signalProcess(findProcess(pid), "SIGKILL");
    await sleep(10);
  }
}
