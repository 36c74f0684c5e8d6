import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { VarveError } from "../errors/index.ts";
import { throwIfAborted } from "../flow/index.ts";
import { modulePath } from "../package/index.ts";
import { fromWire } from "../worker/index.ts";
import type { CopyReply, CopyRequest } from "./copy-types.ts";
import type { PathInfo } from "./types.ts";

export interface CopyProcessOptions {
  /** Words that lead a command into the namespaces where the container's root is, or may be mounted. */
  readonly enter: readonly string[];
  readonly request: CopyRequest;
  /** The PATH. */
  readonly path: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProcess?: ((pid: number) => void) | undefined;
}

interface CopyProcess extends AsyncDisposable {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** The outcome; fails with what the process failed with. */
  readonly outcome: Promise<PathInfo | undefined>;
}

/**
 * Starts the process that has a container's files before it. It ends with this one: setpriv holds it by its parent's death, and its
 * mounts are its own.
 */
function startCopy({ enter, request, path, signal, onProcess }: CopyProcessOptions): CopyProcess {
  throwIfAborted(signal);
  const command = [
    ...enter,
    "setpriv",
    "--pdeathsig",
    "KILL",
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    modulePath("containers/copy-entry"),
  ];
  const child = spawn(command[0] ?? "", command.slice(1), {
    stdio: ["pipe", "pipe", "pipe", "ipc"],
    serialization: "advanced",
    cwd: "/",
    env: { PATH: path, LANG: "C.UTF-8" },
  });
  let problem = "";
  child.stderr?.on("data", (chunk: Buffer) => (problem = (problem + chunk.toString()).slice(-4000)));
  // Who fails early does not read to the end; why, is in the outcome.
  child.stdin?.on("error", () => undefined);
  const ended = once(child, "exit").catch(() => undefined); // that it could not be started is the outcome's to tell
  const outcome = new Promise<PathInfo | undefined>((resolve, reject) => {
    child.once("message", (reply: CopyReply) => (reply.type === "done" ? resolve(reply.info) : reject(fromWire(reply.failure))));
    child.once("error", (cause) => reject(broken(cause.message, cause)));
    child.once("close", () => reject(broken(problem.trim())));
  });
  outcome.catch(() => undefined); // told when it is waited for
  const stop = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", stop, { once: true });
  if (child.pid !== undefined) onProcess?.(child.pid);
  child.send(request, () => undefined);
  return {
    stdin: child.stdin as Writable,
    stdout: child.stdout as Readable,
    outcome,
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener("abort", stop);
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
        child.kill("SIGKILL");
        await ended;
      }
    },
  };
}

function broken(problem: string, cause?: Error): VarveError {
  return new VarveError("CONTAINER_COPY", `the files of the container cannot be reached: ${problem || "the process ended"}`, {
    cause,
  });
}

/** The archive that a process packs. */
export async function* readFromCopy(options: CopyProcessOptions): AsyncGenerator<Uint8Array, void, undefined> {
  await using copy = startCopy(options);
  copy.stdin.end();
  for await (const chunk of copy.stdout) yield chunk as Uint8Array;
  throwIfAborted(options.signal);
  await copy.outcome;
}

/** Gives a process an archive to unpack. */
export async function writeToCopy(options: CopyProcessOptions, archive: AsyncIterable<Uint8Array>): Promise<void> {
  await using copy = startCopy(options);
  let over = false;
  const outcome = copy.outcome.finally(() => (over = true));
  outcome.catch(() => undefined); // told when the archive is through
  for await (const chunk of archive) {
    throwIfAborted(options.signal);
    if (over) break;
    if (!copy.stdin.write(chunk)) await Promise.race([once(copy.stdin, "drain"), outcome.catch(() => undefined)]);
  }
  copy.stdin.end();
  copy.stdout.resume();
  await outcome;
  throwIfAborted(options.signal);
}

/** What a process found at a path. */
export async function askCopy(options: CopyProcessOptions): Promise<PathInfo | undefined> {
  await using copy = startCopy(options);
  copy.stdin.end();
  copy.stdout.resume();
  const info = await copy.outcome;
  throwIfAborted(options.signal);
  return info;
}
