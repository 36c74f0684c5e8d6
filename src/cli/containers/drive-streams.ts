import { once } from "node:events";
import type { Attached, TerminalSize } from "../../containers/index.ts";
import type { Io } from "../io.ts";
import { detachFilter } from "./detach-keys.ts";

export interface DriveOptions {
  /** The program has a terminal: keys go to it as they come, and its size is ours. */
  readonly tty: boolean;
  /** Let go when these are typed. Only with a terminal. */
  readonly detachKeys: readonly number[];
  /** What is done with signals that this process is sent; undefined: they end the command. */
  readonly onSignal?: ((signal: NodeJS.Signals) => void) | undefined;
}

/** Whether it ended, and with which code, or was let go of. */
export type Drive = { readonly isDetached: false; readonly exitCode: number } | { readonly isDetached: true };

/** The size of the terminal that the command runs in; undefined where it has none. */
export function terminalSize(io: Io): TerminalSize | undefined {
  return io.stdout.isTerminal ? io.stdout.size?.() : undefined;
}

/**
 * Connects the streams of this process with those of a program until it has ended or was let go of. All that it wrote is out when this
 * settles, and the terminal is as it was, whatever happened.
 */
export async function driveStreams(attached: Attached, io: Io, options: DriveOptions): Promise<Drive> {
  let isDetached = false;
  const detach = (): void => {
    isDetached = true;
    attached.detach();
  };
  const giveUp = (): void => attached.detach();
  const { tty, onSignal } = options;
  const resize = async (): Promise<void> => {
    const size = terminalSize(io);
    if (size !== undefined) await attached.resize(size);
  };
  const releases = [
    tty && attached.stdin !== undefined ? await io.stdin.takeKeys?.() : undefined,
    tty ? io.stdout.onResize?.(() => void resize()) : undefined,
    onSignal === undefined ? undefined : io.takeSignals?.(onSignal),
  ];
  io.signal.addEventListener("abort", giveUp, { once: true });
  try {
    if (attached.stdin !== undefined) {
      // What is typed or piped after the end is not waited for.
      void pump(attached.stdin, io, tty ? { keys: options.detachKeys, detach } : undefined);
    }
    for await (const { stream, chunk } of attached.output) await (stream === 1 ? io.stdout : io.stderr).write(chunk);
    io.signal.throwIfAborted();
    return isDetached ? { isDetached } : { isDetached: false, exitCode: await attached.exitCode };
  } finally {
    io.signal.removeEventListener("abort", giveUp);
    for (const release of releases) release?.();
  }
}

async function pump(
  input: NodeJS.WritableStream,
  io: Io,
  detaching: { readonly keys: readonly number[]; readonly detach: () => void } | undefined,
): Promise<void> {
  const filter = detaching === undefined ? undefined : detachFilter(detaching.keys);
  try {
    for await (const chunk of io.stdin.chunks()) {
      const typed = filter?.(chunk);
      const bytes = typed?.through ?? chunk;
      if (!input.writable) return;
      if (bytes.length > 0 && !input.write(bytes)) await untilTaken(input);
      if (typed?.isDetached === true) {
        detaching?.detach();
        return;
      }
    }
  } catch {
    // An input that cannot be read (a terminal that went away) is one that has ended.
  }
  input.end();
}

/** Resolves when an input that is full takes more, or is closed. */
async function untilTaken(input: NodeJS.WritableStream): Promise<void> {
  if (!input.writable) return;
  const done = new AbortController();
  try {
    await Promise.race(["drain", "close"].map(async (event) => await once(input, event, { signal: done.signal })));
  } finally {
    done.abort();
  }
}
