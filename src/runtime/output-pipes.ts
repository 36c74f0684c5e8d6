import { closeSync, constants, openSync, unlinkSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { mknod } from "../sys/index.ts";

const fifo = 0o010000;

/** A pipe from a step to us. */
export interface OutputPipe {
  /** For the child; give it away, then {@link OutputPipe.closeWriter}. */
  readonly writer: number;
  closeWriter(): void;
  /** Hands on what comes, waiting for each answer, until every writer is gone or {@link OutputPipe.stop}. */
  read(onChunk: (chunk: Uint8Array) => void | Promise<void>): Promise<void>;
  /** Stops waiting for writers that will not go. */
  stop(): void;
}

/**
 * A real pipe, made as a FIFO in a private folder that loses its name at once. Node's own "pipe" is a socket, on which
 * `echo > /dev/stdout` in a step fails with ENXIO.
 */
export function openOutputPipe(folder: string, name: string): OutputPipe {
  const path = join(folder, name);
  mknod(path, fifo | 0o600);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  unlinkSync(path);
  const socket = new Socket({ fd: reader, readable: true, writable: false });
  let open = true;
  return {
    writer,
    closeWriter() {
      if (open) closeSync(writer);
      open = false;
    },
    async read(onChunk) {
      try {
        for await (const chunk of socket as AsyncIterable<Uint8Array>) await onChunk(chunk);
      } finally {
        socket.destroy();
      }
    },
    stop: () => void socket.push(null),
  };
}
