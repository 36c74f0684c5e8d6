import { isatty } from "node:tty";
import { VarveError } from "../errors/index.ts";
import { BrokenPipe, type Io, type OutputStream } from "./io.ts";
import { runCommandLine } from "./run-command-line.ts";

const exitCodeOfSignal = { SIGINT: 130, SIGTERM: 143 } as const;
/** What a command may pass on to a program that it runs; SIGPIPE, SIGCHLD and the signals of faults are this process's own. */
const passedSignals = (
  "SIGHUP SIGINT SIGQUIT SIGTERM SIGUSR1 SIGUSR2 SIGALRM SIGVTALRM SIGCONT SIGTSTP SIGTTIN SIGTTOU SIGXCPU SIGIO " + "SIGPWR"
).split(" ") as readonly NodeJS.Signals[];

/**
 * Runs a command line in this process: its streams, its environment, its signals; ends the process with the exit code.
 * The first SIGINT or SIGTERM stops the work in good order, the second ends at once.
 */
export async function runProcess(args: readonly string[]): Promise<never> {
  const controller = new AbortController();
  const takers: ((signal: NodeJS.Signals) => void)[] = [];
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (takers.length > 0) return;
      if (controller.signal.aborted) process.exit(exitCodeOfSignal[name]);
      controller.abort(new VarveError("CANCELED", `canceled by ${name}`, { details: { signal: name } }));
    });
  }
  process.on("uncaughtException", (error) => {
    process.stderr.write(
      `ERROR: ${error.message} [INTERNAL]\nhint: this is a defect of Varve; please report it\n${error.stack ?? ""}\n`,
    );
    process.exit(70);
  });
  const io: Io = {
    env: process.env,
    cwd: process.cwd(),
    uid: process.getuid?.(),
    stdin: { isTerminal: isatty(0), chunks: () => process.stdin, takeKeys },
    stdout: openOutput(process.stdout, controller),
    stderr: openOutput(process.stderr, controller),
    signal: controller.signal,
    now: Date.now,
    takeSignals(listener, names = passedSignals) {
      takers.push(listener);
      for (const name of names) process.on(name, listener);
      return () => {
        takers.splice(takers.indexOf(listener), 1);
        for (const name of names) process.off(name, listener);
      };
    },
  };
  const exitCode = await runCommandLine(args, io);
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
  process.exit(exitCode);
}

async function takeKeys({ keepSignals = false } = {}): Promise<() => void> {
  if (!isatty(0)) return () => undefined;
  const { makeRaw, makeUnbuffered } = await import("../sys/index.ts");
  const restore = keepSignals ? makeUnbuffered(0) : makeRaw(0);
  // Whatever ends this process through `exit`, the terminal is as it was.
  process.once("exit", restore);
  return () => {
    process.off("exit", restore);
    restore();
  };
}

function openOutput(stream: NodeJS.WriteStream, controller: AbortController): OutputStream {
  stream.on("error", (error) => controller.abort(streamFailure(error)));
  return {
    isTerminal: stream.isTTY === true,
    size: () => ({ columns: stream.columns || 80, rows: stream.rows || 24 }),
    onResize(listener) {
      stream.on("resize", listener);
      return () => stream.off("resize", listener);
    },
    print: (text) => void stream.write(text),
    write: (chunk) =>
      new Promise((resolve, reject) => {
        stream.write(chunk, (error) => (error ? reject(streamFailure(error)) : resolve()));
      }),
  };
}

function streamFailure(error: NodeJS.ErrnoException): Error {
  if (error.code === "EPIPE") return new BrokenPipe(error);
  if (error.code === "ENOSPC") return new VarveError("DISK_FULL", "no space is left for the output", { cause: error });
  return new VarveError("FILE_UNWRITABLE", "the output cannot be written", { cause: error });
}

/** Resolves when all that was written has left, or can leave no more. */
async function flush(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return;
  await new Promise<void>((resolve) => {
    stream.once("error", () => resolve());
    stream.write("", () => resolve());
  });
}
