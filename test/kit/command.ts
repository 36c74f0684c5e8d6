/** Runs programs and keeps what they said. */
import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

export interface Result {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: Buffer | string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningCommand {
  readonly pid: number;
  readonly result: Promise<Result>;
  kill(signal: NodeJS.Signals): void;
  /** Waits until stderr (or stdout) so far matches; fails when the command ends before, or when that takes more than a minute. */
  waitFor(pattern: RegExp, options?: { readonly stream?: "stdout" | "stderr"; readonly patienceMs?: number }): Promise<void>;
}

export function start(command: readonly string[], { input, cwd, env }: RunOptions = {}): RunningCommand {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // Who ends early does not read to the end.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input ?? "");
  const text = (chunks = stderr) => Buffer.concat(chunks).toString();
  // later than the exit: what was said last may still be on its way
  let isClosed = false;
  child.once("close", () => (isClosed = true));
  const result = ended(child).then(([code, signal]) => ({ code, signal, stdout: Buffer.concat(stdout), stderr: text() }));
  return {
    pid: child.pid ?? 0,
    result,
    kill: (signal) => void child.kill(signal),
    async waitFor(pattern, { stream = "stderr", patienceMs = 60_000 } = {}) {
      const chunks = stream === "stdout" ? stdout : stderr;
      for (const begin = Date.now(); !pattern.test(text(chunks)); await sleep(10)) {
        if (isClosed || Date.now() - begin > patienceMs) {
          throw new Error(`${pattern} was not said by ${command.join(" ")}:\n${text(chunks)}${text()}`);
        }
      }
    },
  };
}

function ended(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve([code, signal]));
  });
}

/** Runs a program that must succeed; its stdout as text. */
export async function succeed(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, signal, stdout, stderr } = await start(command, options).result;
  if (code !== 0)
    throw new Error(
      `${command.join(" ")} ended with ${code ?? signal}:\n${stdout.toString().slice(-4000)}${stderr.slice(-4000)}`,
    );
  return stdout.toString();
}
