import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync } from "node:fs";
import type { Duplex } from "node:stream";
import { VarveError } from "../errors/index.ts";
import { openPath } from "../sys/index.ts";
import { mapIds, planIdMaps } from "./id-maps.ts";
import type { WorkerOptions } from "./worker.ts";

export interface SpawnedWorker {
  readonly child: ChildProcess;
  readonly userNamespace: boolean;
  /** What the process wrote to stderr so far: the reason when it could not start. */
  readonly problem: () => string;
}

/**
 * Starts the worker in namespaces of its own.
 *
 * The chain `setpriv --pdeathsig KILL` → `unshare --kill-child` → worker is held by the kernel: when this process dies, in
 * whatever way, unshare is killed, then the worker, then (it is the first process of its pid namespace) everything that
 * it started; its mounts go with the mount namespace. An ordinary user gets a user namespace around the same chain;
 * setpriv stands inside it, because entering a user namespace clears the parent-death signal (prctl(2)).
 *
 * The worker gets this process's root as fd 5: paths that start there show what is mounted here later, too.
 */
export async function spawnWorker({ entry, root, path }: WorkerOptions): Promise<SpawnedWorker> {
  mkdirSync(root, { recursive: true, mode: 0o711 });
  const isRoot = process.getuid?.() === 0;
  const namespaces = "unshare --mount --pid --fork --kill-child --mount-proc --propagation private".split(" ");
  const chain = [
    "setpriv",
    "--pdeathsig",
    "KILL",
    ...namespaces,
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    entry,
  ];
  const plan = isRoot ? undefined : planIdMaps();
  // The shell waits in the new user namespace until its ids are mapped; only an exec after that has the capabilities.
  const command = plan
    ? ["unshare", "--user", "sh", "-c", 'echo >&4 && read -r _ <&4 && exec 4<&- && exec "$@"', "sh", ...chain]
    : chain;
  const ownRoot = openPath("/");
  const child = spawn(command[0] ?? "", command.slice(1), {
    stdio: ["ignore", "ignore", "pipe", "ipc", plan ? "pipe" : "ignore", ownRoot],
    serialization: "advanced",
    // A session of its own, so that a Ctrl-C in the terminal reaches the parent alone.
    detached: true,
    cwd: "/",
    env: { PATH: path, LANG: "C.UTF-8" },
  });
  closeSync(ownRoot);
  const errors: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => errors.length < 100 && errors.push(chunk));
  (child.stderr as { unref?: () => void } | null)?.unref?.();
  const problem = () => Buffer.concat(errors).toString("utf8").trim();
  await once(child, "spawn").catch((error: unknown) => {
    throw new VarveError("WORKER_UNAVAILABLE", `the worker process cannot be started: ${command[0]} is missing`, {
      hint: "install util-linux, which has unshare and setpriv",
      cause: error,
    });
  });
  if (plan) {
    const gate = child.stdio[4] as Duplex;
    try {
      await Promise.race([once(gate, "data"), once(child, "exit").then(() => Promise.reject(noUserNamespace(problem())))]);
      await mapIds(child.pid ?? 0, plan);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
    gate.end("go\n");
  }
  child.unref();
  return { child, userNamespace: !isRoot, problem };
}

function noUserNamespace(problem: string): VarveError {
  return new VarveError("WORKER_NO_USER_NAMESPACE", "this machine does not let an ordinary user make a user namespace", {
    hint: "check `unshare --user true`; on Ubuntu 24.04 and later AppArmor's restriction of user namespaces is in the way; or build as root",
    cause: new Error(problem),
  });
}
