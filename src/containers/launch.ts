import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { VarveError, type ErrorCode } from "../errors/index.ts";
import { modulePath } from "../package/index.ts";
import type { Runtime } from "../runtime/index.ts";
import type { ContainerPaths } from "./handle.ts";
import { findProcess, type KernelProcess } from "./kernel-process.ts";
import { planPath } from "./root-plan.ts";
import { keepsOlder } from "./rotate-log.ts";
import { monitorGroup, type Scopes } from "./scope.ts";

export interface LaunchOptions {
  readonly id: string;
  readonly name: string;
  readonly paths: ContainerPaths;
  readonly runtime: Runtime;
  readonly runtimeArguments: readonly string[];
  readonly monitorPath: string;
  /** A process of the user namespace to live in; undefined for root. */
  readonly userNamespacePid?: number | undefined;
  /** What the processes are to live in; undefined: where the caller does. */
  readonly scope?: (Pick<Scopes, "env"> & { readonly words: readonly string[] }) | undefined;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly log: { readonly driver: "json-file" | "none"; readonly maxBytes?: number };
  /** Run outside of all namespaces of the container when the monitor has ended, in whatever way. */
  readonly whenOver: readonly string[];
  /** The PATH of all that is started. */
  readonly path: string;
}

export interface Launched {
  readonly process: KernelProcess;
  readonly monitor: KernelProcess;
  readonly keeper: KernelProcess;
  readonly cgroupsPath: string;
}

/**
 * Starts the processes of a container up to the point where its first one waits to be started:
 *
 *     keeper (sh, in the namespaces of the caller) → unshare --mount → conmon → the container
 *
 * The keeper does nothing but wait. It stands outside, so that whatever ends the monitor, SIGKILL too, somebody records the end,
 * gives the network back and starts the container again where its policy says so; and it is not in the way when the mount namespace
 * goes. conmon runs with `--sync`: as the child of the keeper, and not as everybody's orphan.
 */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { paths, path, scope } = options;
  const errors = openSync(`${paths.folder}/monitor.log`, "w", 0o600);
  const script = scope === undefined ? keeperScript : `${scopeScript}${keeperScript}`;
  const [program = "", ...words] = [...(scope?.words ?? []), "/bin/sh", "-c", script, "sh", ...keeperWords(options)];
  const child = spawn(program, words, {
    // A session of its own: a terminal's Ctrl-C is for the command that started it.
    detached: true,
    cwd: "/",
    env: { PATH: path, LANG: "C.UTF-8", _OCI_SYNCPIPE: "3", ...scope?.env },
    stdio: ["ignore", "ignore", errors, "pipe"],
  });
  closeSync(errors);
  try {
    await once(child, "spawn");
  } catch (error) {
    throw new VarveError("CONTAINER_START", "a shell cannot be started", { cause: error });
  }
  const keeper = findProcess(child.pid ?? 0);
  const pipe = child.stdio[3] as Readable;
  try {
    const { pid, cgroupsPath } = await readReport(pipe, paths);
    const first = findProcess(pid);
    const monitor = findProcess(Number(readFileSync(paths.monitorPidFile, "utf8")));
    if (first === undefined || monitor === undefined || keeper === undefined)
      throw new VarveError("CONTAINER_START", "the container ended before it was started");
    return { process: first, monitor, keeper, cgroupsPath };
  } finally {
    pipe.destroy();
    child.unref();
  }
}

/** In a new scope: the keeper and what it starts make room for the container's own cgroup, for which all that is delegated is turned on. */
const scopeScript = `
own=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
mkdir -p "$own/${monitorGroup}" && echo $$ >"$own/${monitorGroup}/cgroup.procs"
for controller in $(cat "$own/cgroup.controllers"); do echo "+$controller" >"$own/cgroup.subtree_control"; done
`;

/**
 * `$1` words of what is to be done at the end, then those words, then the monitor's chain. Who ends the keeper in order (systemd, when
 * the machine goes down) wants no restart: then it says `ended`.
 */
const keeperScript = `
count=$1; shift
over=
while [ "$count" -gt 0 ]; do
  over="$over '$(printf %s "$1" | sed "s/'/'\\\\\\\\''/g")'"; shift; count=$((count - 1))
done
ended=
trap '' HUP INT
trap 'ended=ended' TERM
( trap - HUP INT TERM; exec "$@" )
exec 3>&-
trap - HUP INT
eval "exec $over $ended"
`;

/**
 * In the mount namespace: `$1` the file for the pid, `$2` node, `$3` the entry, `$4` its plan, then the monitor's words. The monitor
 * works in the container's folder, where it leaves a file that tells of a lack of memory.
 */
const innerScript = `
pid=$1; node=$2; entry=$3; plan=$4; shift 4
"$node" --disable-warning=ExperimentalWarning "$entry" "$plan" || exit 125
cd "\${pid%/*}" || exit 125
echo $$ > "$pid"
exec "$@"
`;

function keeperWords(options: LaunchOptions): string[] {
  const { whenOver, userNamespacePid, paths } = options;
  return [
    [String(whenOver.length), ...whenOver],
    userNamespacePid === undefined ? [] : ["nsenter", "--user", "--target", String(userNamespacePid), "--"],
    ["unshare", "--mount", "--propagation", "private", "--"],
    ["/bin/sh", "-c", innerScript, "sh"],
    [paths.monitorPidFile, process.execPath, modulePath("containers/root-entry"), planPath(paths)],
    monitorWords(options),
  ].flat();
}

function monitorWords({ id, name, paths, runtime, runtimeArguments, monitorPath, ...how }: LaunchOptions): string[] {
  const { tty, openStdin, stdinOnce, log } = how;
  return [
    [monitorPath, "--sync", "--cid", id, "--cuuid", id, "--name", name, "--bundle", paths.folder],
    ["--container-pidfile", paths.pidFile, "--exit-dir", paths.exitFolder, "--full-attach", "--no-sync-log"],
    ["--log-path", log.driver === "none" ? "none" : `k8s-file:${paths.log}`],
    // where older ones are kept, that is another's work: see rotateLogs
    log.maxBytes === undefined || keepsOlder(log) ? [] : ["--log-size-max", String(log.maxBytes)],
    ["--runtime", runtime.path, ...runtimeArguments.map((argument) => `--runtime-arg=${argument}`)],
    tty ? ["--terminal"] : [],
    openStdin ? ["--stdin"] : [],
    // who lets go of a terminal may come back to it (test/e2e/container-terminals.test.ts)
    openStdin && (tty || !stdinOnce) ? ["--leave-stdin-open"] : [],
  ].flat();
}

interface Report {
  readonly cgroupsPath?: string;
  readonly pid?: number;
  readonly data?: number;
  readonly message?: string;
  readonly failure?: { readonly message: string; readonly code?: ErrorCode; readonly hint?: string; readonly details?: object };
}

/** What the entry and the monitor say, a line of JSON each. The runtime's complaint stands in the message of pid −1. */
async function readReport(pipe: Readable, paths: ContainerPaths): Promise<{ pid: number; cgroupsPath: string }> {
  let text = "";
  let cgroupsPath = "";
  for await (const chunk of pipe) {
    text += String(chunk);
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const report = JSON.parse(line) as Report;
      const { failure } = report;
      if (failure !== undefined) {
        throw new VarveError(failure.code ?? "CONTAINER_START", failure.message, {
          ...(failure.hint === undefined ? {} : { hint: failure.hint }),
          details: { ...failure.details },
        });
      }
      const pid = report.pid ?? report.data;
      if (pid === undefined) cgroupsPath = report.cgroupsPath ?? "";
      else if (pid > 0) return { pid, cgroupsPath };
      else throw new VarveError("CONTAINER_RUNTIME", (report.message ?? "the runtime failed").trim());
    }
  }
  const log = readFileSync(`${paths.folder}/monitor.log`, "utf8").trim();
  throw new VarveError(
    "CONTAINER_START",
    `the container's monitor could not be started${log === "" ? "" : `: ${log.split("\n").at(-1)}`}`,
  );
}
