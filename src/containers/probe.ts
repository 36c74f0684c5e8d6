import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { HealthConfig } from "../oci/index.ts";
import { isRunning } from "./kernel-process.ts";
import { startHelper } from "./start-helper.ts";
import { handleOf } from "./observe.ts";
import type { ContainerHandle } from "./handle.ts";
import type { ContainerRoom } from "./room.ts";
import type { HealthState } from "./types.ts";

/** Of Dockerfile's HEALTHCHECK. Times in milliseconds. */
const defaults = { intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, startIntervalMs: 5000, retries: 3 };
/** Output of one try that is kept; Docker keeps as much. */
const maxOutputBytes = 4096;
const keptTries = 5;
/** How soon a prober notices that its container has ended. */
const pollMs = 500;

interface Probe {
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
  readonly retries: number;
}

/** Whether and how a container's health is tried. */
export function readProbe(config: HealthConfig | undefined): Probe | undefined {
  const [kind, ...words] = config?.Test ?? [];
  if (config === undefined || kind === undefined || kind === "NONE") return undefined;
  const ms = (nanoseconds: number | undefined, usual: number) =>
    nanoseconds === undefined || nanoseconds === 0 ? usual : nanoseconds / 1e6;
  return {
    command: kind === "CMD-SHELL" ? ["/bin/sh", "-c", ...words] : words,
    intervalMs: ms(config.Interval, defaults.intervalMs),
    timeoutMs: ms(config.Timeout, defaults.timeoutMs),
    startPeriodMs: ms(config.StartPeriod, defaults.startPeriodMs),
    startIntervalMs: ms(config.StartInterval, defaults.startIntervalMs),
    retries: config.Retries === undefined || config.Retries === 0 ? defaults.retries : config.Retries,
  };
}

/** Starts the process that tries a container's health until it ends; does nothing for a container that has no such check. */
export function startProber(room: ContainerRoom, id: string): void {
  const row = room.store.get(id);
  if (row === undefined || readProbe(row.config.healthcheck) === undefined) return;
  room.store.change(id, (run) => ({ ...run, health: { status: "starting", failingStreak: 0, log: [] } }));
  // without it the health stays what it is: starting
  const prober = startHelper(room, "probe", row);
  if (prober !== undefined) room.store.change(id, (run) => ({ ...run, prober }));
}

/** What that process does. */
export async function probe(room: ContainerRoom, id: string, generation: number): Promise<void> {
  const first = room.store.get(id);
  const config = readProbe(first?.config.healthcheck);
  const process = first?.run.process;
  if (first === undefined || config === undefined) return;
  const begunMs = first.run.startedMs ?? Date.now();
  const isOn = (): boolean => isRunning(process);
  const rest = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0 && isOn(); left -= pollMs) await sleep(Math.min(left, pollMs));
  };
  let started = false;
  for (;;) {
    const starting = !started && Date.now() - begunMs < config.startPeriodMs;
    await rest(starting ? Math.min(config.startIntervalMs, config.intervalMs) : config.intervalMs);
    const row = room.store.get(id);
    if (row === undefined || row.run.generation !== generation || !isOn()) return;
    const handle = handleOf(row, room.root);
    if (row.run.status !== "running" || handle === undefined) continue;
    const startMs = Date.now();
    const result = await tryOnce(handle, row.config, config);
    const inStartPeriod = !started && startMs - begunMs < config.startPeriodMs;
    if (result.exitCode === 0) started = true;
    const before = row.run.health?.status;
    const after = room.store.change(id, (run) =>
      run.generation === generation && run.health !== undefined
        ? {
            ...run,
            health: judge(run.health, { startMs, endMs: Date.now(), ...result }, { inStartPeriod, retries: config.retries }),
          }
        : run,
    );
    const status = after?.run.health?.status;
    if (status !== undefined && status !== before) room.events.tell(row, `health_status: ${status}`);
  }
}

type Try = HealthState["log"][number];

/** What one more try says of the health. (Dockerfile reference, HEALTHCHECK) */
export function judge(
  health: HealthState,
  tried: Try,
  { inStartPeriod, retries }: { readonly inStartPeriod: boolean; readonly retries: number },
): HealthState {
  const log = [...health.log, tried].slice(-keptTries);
  if (tried.exitCode === 0) return { status: "healthy", failingStreak: 0, log };
  if (inStartPeriod) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  return { status: failingStreak >= retries ? "unhealthy" : health.status, failingStreak, log };
}

async function tryOnce(
  { enter, runtime, id }: ContainerHandle,
  { env, user, workingDir }: { readonly env: readonly string[]; readonly user: string; readonly workingDir: string },
  { command, timeoutMs }: Probe,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const options = [
    ...env.flatMap((entry) => ["--env", entry]),
    ...(workingDir === "" ? [] : ["--cwd", workingDir]),
    ...(/^\d+(:\d+)?$/.test(user) ? ["--user", user] : []),
  ];
  const [program = "", ...args] = [...enter, ...runtime, "exec", ...options, id, ...command];
  return await new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    let output = "";
    const hear = (chunk: Buffer): void => {
      if (output.length < maxOutputBytes) output = (output + chunk.toString()).slice(0, maxOutputBytes);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    const timer = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      resolve({ exitCode: -1, output: `Health check exceeded timeout (${timeoutMs / 1000}s)` });
    }, timeoutMs);
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ exitCode: -1, output: error.message });
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ exitCode: code ?? -1, output });
    });
  });
}
