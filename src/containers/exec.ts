import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { VarveError } from "../errors/index.ts";
import { throwIfAborted } from "../flow/index.ts";
import { logFormats, readComplaint, type RuntimeName } from "../runtime/index.ts";
import { attachStreams } from "./attach.ts";
import { execSpec } from "./exec-spec.ts";
import type { ContainerHandle } from "./handle.ts";
import { reachScope } from "./scope.ts";
import { readRuntimeFailure } from "./start-failure.ts";
import type { Attached, ContainerConfig, ExecRequest } from "./types.ts";

/** What conmon writes, in the order of its writing. (conmon, src/parent_pipe_fd.c) */
interface Report {
  readonly data: number;
  readonly message?: string;
}

interface Session {
  readonly folder: string;
  readonly monitor: ChildProcess;
  /** Its next line; undefined when it will say no more. */
  readonly nextReport: () => Promise<Report | undefined>;
  readonly attachReady: () => Promise<boolean>;
  /** Lets it take the next step. */
  readonly go: () => void;
}

/**
 * Starts a program in a container that runs, under a conmon of its own, which outlives this process: streams are connected before the
 * program starts. Nothing of it is left when it has ended. A detached one has neither streams nor an end that anybody waits for.
 * Fails with CONTAINER_EXEC where the program cannot be started (`details.exitCode` is Docker's), TREE_USER for an unknown user.
 */
export async function execIn(
  handle: ContainerHandle,
  config: ContainerConfig,
  request: ExecRequest,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Attached> {
  const spec = execSpec(handle, config, request);
  throwIfAborted(signal);
  const folder = join(handle.folder, `exec-${randomBytes(8).toString("hex")}`);
  await mkdir(folder, { mode: 0o700 });
  try {
    await writeFile(join(folder, "process.json"), JSON.stringify(spec), { mode: 0o600 });
    const session = startMonitor(handle, request, folder);
    return await startProgram(handle, request, session);
  } catch (error) {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

async function startProgram(handle: ContainerHandle, request: ExecRequest, session: Session): Promise<Attached> {
  const { folder, monitor, nextReport } = session;
  const isDetached = request.detached === true;
  await once(monitor, "spawn").catch((error: unknown) => {
    throw new VarveError("CONTAINER_EXEC", "the monitor of the program cannot be started", { cause: error });
  });
  session.go();
  let attached: Attached | undefined;
  if (!isDetached) {
    const exitCode = Promise.withResolvers<number>();
    if (!(await session.attachReady())) throw startFailure(handle, request, session, await nextReport());
    const place = { attachSocketPath: join(folder, "attach"), controlPath: join(folder, "ctl"), tty: request.tty === true };
    attached = await attachStreams(place, request, () => exitCode.promise);
    session.go();
    const started = await nextReport();
    if (started === undefined || started.data <= 0) {
      attached.detach();
      throw startFailure(handle, request, session, started);
    }
    // When its monitor was killed, nobody knows more than that it is over.
    nextReport().then((report) => exitCode.resolve(report === undefined || report.data < 0 ? 137 : report.data), exitCode.reject);
    return attached;
  }
  const started = await nextReport();
  if (started === undefined || started.data <= 0) throw startFailure(handle, request, session, started);
  const nothing = (async function* () {})();
  return { output: nothing, resize: () => Promise.resolve(), detach: () => undefined, exitCode: Promise.resolve(0) };
}

/** The monitor's words, or the runtime's own log where it has none: crun writes there alone. */
function startFailure(
  handle: ContainerHandle,
  request: ExecRequest,
  { folder }: Session,
  report: Report | undefined,
): VarveError {
  const complaint =
    readComplaint(join(folder, "runtime.log"), runtimeNameOf(handle)) ?? report?.message ?? "the runtime did not start it";
  const { message, exitCode } = readRuntimeFailure(complaint, request.command[0] ?? "");
  const text = message.startsWith("exec failed: ") ? message : `exec failed: ${message}`;
  // Docker's attached exec has no 125: what the runtime refused in another way is "cannot be invoked".
  return new VarveError("CONTAINER_EXEC", `OCI runtime exec failed: ${text}`, {
    details: request.detached === true ? {} : { exitCode: exitCode === 125 ? 126 : exitCode },
  });
}

function startMonitor(handle: ContainerHandle, request: ExecRequest, folder: string): Session {
  const isDetached = request.detached === true;
  const runtimeName = runtimeNameOf(handle);
  const runtimeArguments = [
    ...handle.runtimeArguments,
    // The later one counts: each program's complaints are its own.
    "--log",
    join(folder, "runtime.log"),
    "--log-format",
    logFormats[runtimeName],
  ];
  const words = [
    handle.enter,
    [handle.monitorPath, "--api-version", "1", "--cid", handle.id, "--cuuid", handle.id],
    ["--exec", "--exec-process-spec", join(folder, "process.json"), "--container-pidfile", join(folder, "pid")],
    ["--log-path", "none", "--no-sync-log"],
    ["--runtime", handle.runtimePath],
    runtimeArguments.map((argument) => `--runtime-arg=${argument}`),
    ["--exit-command", "/bin/rm", "--exit-command-arg=-rf", `--exit-command-arg=${folder}`],
    isDetached ? [] : ["--exec-attach", "--bundle", folder, "--full-attach"],
    request.tty === true ? ["--terminal"] : [],
    request.stdin === true ? ["--stdin"] : [],
    // A terminal that somebody lets go of can be taken again; without one, the end of the input is the program's to see.
    request.stdin === true && request.tty === true ? ["--leave-stdin-open"] : [],
  ].flat();
  const { words: reach, env } = reachScope(handle.pid, `varve-exec-${randomBytes(16).toString("hex")}.scope`);
  const [program = "", ...args] = [...reach, ...words];
  const monitor = spawn(program, args, {
    cwd: "/",
    detached: true,
    env: {
      PATH: process.env["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      LANG: "C.UTF-8",
      _OCI_SYNCPIPE: "3",
      _OCI_STARTPIPE: "4",
      ...(isDetached ? {} : { _OCI_ATTACHPIPE: "5" }),
      ...env,
    },
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe", isDetached ? "ignore" : "pipe"],
  });
  monitor.unref();
  const reports = linesOf(monitor.stdio[3] as Readable);
  const startPipe = monitor.stdio[4] as unknown as Writable;
  startPipe.on("error", () => undefined); // a monitor that has ended says so on the other pipe
  const attachPipe = isDetached ? undefined : linesOf((monitor.stdio as readonly unknown[])[5] as Readable);
  return {
    folder,
    monitor,
    nextReport: async () => {
      const line = await reports.next();
      return line.done === true ? undefined : (JSON.parse(line.value) as Report);
    },
    attachReady: async () => (await attachPipe?.next())?.done === false,
    go: () => void startPipe.write("\0"),
  };
}

function runtimeNameOf({ runtimePath }: ContainerHandle): RuntimeName {
  return runtimePath.endsWith("crun") ? "crun" : "runc";
}

async function* linesOf(stream: Readable): AsyncGenerator<string, void, void> {
  let text = "";
  for await (const chunk of stream) {
    text += String(chunk);
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n")) {
      yield text.slice(0, at);
      text = text.slice(at + 1);
    }
  }
}
