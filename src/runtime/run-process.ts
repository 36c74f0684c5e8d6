import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reasonOf, sleep, throwIfAborted } from "../flow/index.ts";
import { hasCode } from "../sys/index.ts";
import { forgetCgroup, removeCgroup } from "./cgroups.ts";
import type { ContainerProcess } from "./container-process.ts";
import type { Emulation } from "./emulation.ts";
import type { Runtime } from "./find-runtime.ts";
import type { HostFacts } from "./host-facts.ts";
import { withHome } from "./home-folder.ts";
import { keepLockedFlags } from "./locked-flags.ts";
import { makeSpec } from "./make-spec.ts";
import { stepMountPoints } from "./step-mount-points.ts";
import { makeMountPoints } from "./mount-points.ts";
import { tmpfsModes, withMode } from "./tmpfs-modes.ts";
import { writeNetworkFiles } from "./network-files.ts";
import { writeSpec } from "./oci-spec.ts";
import { keepCompiledFilter, withCompiledFilter } from "./seccomp-filter.ts";
import { openOutputPipe, type OutputPipe } from "./output-pipes.ts";
import { spawnWithFormat } from "./own-binfmt.ts";
import { logFormats, readComplaint, readLateStartFailure, readStartFailure, runtimeFailure } from "./runtime-log.ts";
import { stopContainer } from "./stop-container.ts";
import { makeWorkingFolder } from "./working-folder.ts";

export interface RunOptions {
  readonly runtime: Runtime;
  readonly facts: HostFacts;
  readonly process: ContainerProcess;
  /** The mounted root; what the step writes lands there. */
  readonly rootPath: string;
  /** How its programs are run, where they are not made for this machine. */
  readonly emulation?: Emulation | undefined;
  /** A folder of the worker. The step's own folder in it is private and goes with the step. */
  readonly stateDir: string;
  /** How long a step that handles SIGTERM may take to end after an abort. Default 10 s. Steps that ignore it are killed at once. */
  readonly graceMs?: number;
}

export interface RunControl {
  readonly signal?: AbortSignal | undefined;
  /** Stream 1 is standard output, 2 standard error. While it returns a promise that is pending, that stream is not read on. */
  readonly onOutput: (stream: 1 | 2, chunk: Uint8Array) => void | Promise<void>;
}

export interface RunResult {
  /** The program's, or 128 and the number of the signal that ended it. 1 (255: wrong format) when it could not be started, as BuildKit reports it. */
  readonly exitCode: number;
  /** Why the program could not be started (`exec: "/nope": no such file or directory`). The runtime says so on stream 2, in its words. */
  readonly notStarted?: string;
}

const defaultGraceMs = 10_000;
/** Every process of a step is gone when its runtime has ended; a pipe that is still held then is held by a stranger. */
const drainMs = 10_000;
const pidFile = "pid";
/** Enough to recognise a runtime's one line. */
const maxHeardChars = 8192;

/**
 * Runs one process in a root and settles when everything of it is gone: processes, mounts, state, mount points made for it. Only for
 * the worker, in its own mount and pid namespaces. Rejects with the signal's reason after an abort, and with `RUNTIME_…` when the
 * runtime itself fails.
 */
export async function runProcess(options: RunOptions, control: RunControl): Promise<RunResult> {
  throwIfAborted(control.signal);
  const folder = mkdtempSync(join(options.stateDir, "run-"));
  try {
    chmodSync(folder, 0o700);
    makeWorkingFolder(options.rootPath, options.process);
    const modes = tmpfsModes(options.rootPath, options.process.mounts);
    const points = makeMountPoints(options.rootPath, stepMountPoints(options.process));
    try {
      return await runBundle(options, control, { folder, modes, resolved: points.resolved });
    } finally {
      points.cleanup();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Place {
  readonly folder: string;
  /** Of tmpfs mounts, by destination. */
  readonly modes: ReadonlyMap<string, number>;
  readonly resolved: ReadonlyMap<string, string>;
}

async function runBundle(options: RunOptions, control: RunControl, { folder, modes, resolved }: Place): Promise<RunResult> {
  const { runtime, rootPath } = options;
  const facts = factsOf(options);
  const wanted = { ...options.process, env: withHome(rootPath, options.process) };
  const id = folder.slice(folder.lastIndexOf("/") + 1);
  const spec = makeSpec(wanted, facts, { id, runtime: runtime.name, rootPath, ...writeNetworkFiles(wanted, folder) });
  // The runtime gets places, not links to follow.
  const placed = spec.mounts.map((mount) => ({
    ...withMode(mount, modes.get(mount.destination)),
    destination: resolved.get(mount.destination) ?? mount.destination,
  }));
  const mounts = facts.userNamespace ? keepLockedFlags(placed) : placed;
  const isCrun = runtime.name === "crun";
  const written = { ...(isCrun ? withCompiledFilter(spec) : spec), mounts };
  writeFileSync(join(folder, "config.json"), writeSpec(written), { mode: 0o600 });
  const keeping = isCrun ? keepCompiledFilter(spec, { folder, id, pidPath: join(folder, pidFile) }) : undefined;
  const outcome = await runRuntime(options, control, { folder, id }).finally(() => keeping?.end());
  const { cgroupsPath } = spec.linux;
  forgetCgroup(cgroupsPath);
  const complaint = readComplaint(join(folder, "log"), runtime.name);
  if (outcome.aborted || outcome.exitCode === null || complaint !== undefined) {
    await deleteContainer(options, { folder, id });
    removeCgroup(cgroupsPath);
  }
  if (outcome.aborted) throw reasonOf(outcome.aborted);
  return await interpret(options, control, { ...outcome, complaint });
}

async function interpret(
  { runtime, process: wanted }: RunOptions,
  control: RunControl,
  outcome: Outcome & { complaint: string | undefined },
): Promise<RunResult> {
  const { exitCode, signal, errors, outBytes, complaint } = outcome;
  const program = wanted.args[0] ?? "";
  if (exitCode === 0) return { exitCode };
  if (exitCode === null) throw runtimeFailure(runtime, complaint ?? `it was ended by ${signal ?? "something"}`);
  if (complaint === undefined) {
    const late = (exitCode === 1 || exitCode === 255) && outBytes === 0 ? readLateStartFailure(errors, program) : undefined;
    return late === undefined ? { exitCode } : { exitCode: 255, notStarted: late };
  }
  const notStarted = readStartFailure(complaint, program);
  if (notStarted === undefined) throw runtimeFailure(runtime, complaint);
  if (errors === "") await control.onOutput(2, Buffer.from(`${notStarted}\n`));
  return { exitCode: 1, notStarted };
}

/** An emulated step lives in a user namespace of its own, whoever the worker is. */
function factsOf({ facts, emulation }: RunOptions): HostFacts {
  return emulation?.registration === undefined ? facts : { ...facts, userNamespace: true };
}

interface Outcome {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What came on stream 2, at most {@link maxHeardChars} of it. */
  readonly errors: string;
  readonly outBytes: number;
  readonly aborted: AbortSignal | undefined;
}

async function runRuntime(options: RunOptions, control: RunControl, place: { folder: string; id: string }): Promise<Outcome> {
  const { folder } = place;
  const [output, errors] = [openOutputPipe(folder, "stdout"), openOutputPipe(folder, "stderr")];
  let heard = "";
  let outBytes = 0;
  const works = [
    output.read((chunk) => {
      outBytes += chunk.length;
      return control.onOutput(1, chunk);
    }),
    errors.read((chunk) => {
      if (heard.length < maxHeardChars) heard += Buffer.from(chunk).toString().slice(0, maxHeardChars);
      return control.onOutput(2, chunk);
    }),
  ];
  const reading = allDone(works);
  reading.catch(() => undefined); // looked at when the runtime has ended
  let child: ChildProcess;
  try {
    child = spawnRuntime(options, place, [output, errors]);
  } finally {
    output.closeWriter();
    errors.closeWriter();
  }
  const exit = exitOf(child);
  const stop = stopOnAbort(options, control, { child, exit, folder });
  try {
    // Output that nobody takes any more: the step must not run on.
    for (const work of works) work.catch(() => stop.now());
    const { exitCode, signal } = await exit;
    await drain(reading, [output, errors]);
    return { exitCode, signal, errors: heard, outBytes, aborted: stop.aborted() };
  } finally {
    stop.end();
  }
}

function spawnRuntime(
  options: RunOptions,
  { folder, id }: { folder: string; id: string },
  pipes: readonly OutputPipe[],
): ChildProcess {
  const { runtime, emulation } = options;
  const input = openSync("/dev/null", "r");
  try {
    const args = [
      ...globalArguments(runtime, factsOf(options), folder),
      "run",
      "--bundle",
      folder,
      "--pid-file",
      join(folder, pidFile),
      id,
    ];
    // A session of its own: a terminal's Ctrl-C is for Varve, which then ends the step in order.
    const start = {
      folder,
      cwd: folder,
      detached: true,
      env: runtimeEnvironment(),
      stdio: [input, ...pipes.map(({ writer }) => writer)],
    };
    const registration = emulation?.registration;
    if (registration === undefined) return spawn(runtime.path, args, start);
    return spawnWithFormat([runtime.path, ...args], registration, start);
  } finally {
    closeSync(input);
  }
}

function runtimeEnvironment(): Record<string, string> {
  return { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
}

function globalArguments({ name }: Runtime, { userNamespace }: HostFacts, folder: string): string[] {
  const common = ["--root", join(folder, "state"), "--log", join(folder, "log"), "--log-format", logFormats[name]];
  if (name === "runc") return common;
  return [...common, `--cgroup-manager=${userNamespace ? "disabled" : "cgroupfs"}`];
}

function exitOf(child: ChildProcess): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
}

function stopOnAbort(
  { graceMs = defaultGraceMs }: RunOptions,
  { signal }: RunControl,
  running: { child: ChildProcess; exit: Promise<unknown>; folder: string },
) {
  let aborted: AbortSignal | undefined;
  const ended = new AbortController();
  const stopWith = (grace: number): void => {
    const stopping = stopContainer(
      { ...running, graceMs: grace, readPid: () => readPid(join(running.folder, pidFile)) },
      { signal: ended.signal },
    );
    stopping.catch(() => running.child.kill("SIGKILL"));
  };
  const onAbort = (): void => {
    aborted = signal;
    stopWith(graceMs);
  };
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return {
    aborted: () => aborted,
    now: () => stopWith(0),
    end() {
      signal?.removeEventListener("abort", onAbort);
      ended.abort();
    },
  };
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Rejects with the first failure, but not before all have ended. */
async function allDone(works: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(works);
  await Promise.all(works);
}

async function drain(reading: Promise<unknown>, pipes: readonly OutputPipe[]): Promise<void> {
  const done = new AbortController();
  const stop = async (): Promise<void> => {
    await sleep(drainMs, { signal: done.signal });
    for (const pipe of pipes) pipe.stop();
  };
  const stopping = stop().catch(() => undefined);
  try {
    await reading;
  } finally {
    done.abort();
    await stopping;
  }
}

/** After a runtime that was killed: its container's last processes, cgroups and mounts. */
async function deleteContainer(options: RunOptions, { folder, id }: { folder: string; id: string }): Promise<void> {
  const { runtime } = options;
  const child = spawn(runtime.path, [...globalArguments(runtime, factsOf(options), folder), "delete", "--force", id], {
    env: runtimeEnvironment(),
    stdio: "ignore",
  });
  await exitOf(child);
}
