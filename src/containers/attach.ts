import { once } from "node:events";
import type { Socket } from "node:net";
import { Writable } from "node:stream";
import { VarveError } from "../errors/index.ts";
import { sleep } from "../flow/index.ts";
import { connectPackets, hasCode } from "../sys/index.ts";
import type { ContainerHandle } from "./handle.ts";
import { sizeSender } from "./terminal-size.ts";
import type { Attached, AttachOptions } from "./types.ts";

/** Where conmon listens for those who attach: to a container, or to a process in it. */
export type AttachPlace = Pick<ContainerHandle, "attachSocketPath" | "controlPath" | "tty">;

type Output = Attached["output"];

/** conmon reads into a buffer of this size; what is left of a longer packet would be lost. (conmon, src/config.h) */
const maxPacketBytes = 32_768;
/** The first byte of conmon's packets. (conmon, src/utils.h) */
const streamOf: Readonly<Record<number, 1 | 2>> = { 2: 1, 3: 2 };

/**
 * Connects to what conmon watches. All that is written from now on comes out; while nobody reads `output`, the process waits.
 * `waitForExit` is asked when somebody looks at `exitCode`. Fails with CONTAINER_CONFLICT where no conmon listens: the
 * container has ended.
 */
export async function attachStreams(
  place: AttachPlace,
  options: AttachOptions,
  waitForExit: () => Promise<number>,
): Promise<Attached> {
  const socket = await connect(place.attachSocketPath);
  const sizes = sizeSender(place.controlPath);
  if (place.tty && options.size !== undefined) await sizes.send(options.size);
  let exitCode: Promise<number> | undefined;
  return {
    ...(options.stdin === true ? { stdin: inputOf(socket) } : {}),
    output: outputOf(socket, options),
    resize: async (size) => {
      if (place.tty) await sizes.send(size);
    },
    detach: () => void socket.destroy(),
    get exitCode() {
      return (exitCode ??= waitForExit());
    },
  };
}

/** As many as conmon lets wait may be there before us. */
async function connect(path: string): Promise<Socket> {
  for (;;) {
    try {
      return connectPackets(path);
    } catch (error) {
      if (hasCode(error, "ENOENT", "ECONNREFUSED"))
        throw new VarveError("CONTAINER_CONFLICT", "You cannot attach to a stopped container, start it first", { cause: error });
      if (!hasCode(error, "EAGAIN")) throw error;
      await sleep(10);
    }
  }
}

function inputOf(socket: Socket): Writable {
  const send = async (chunk: Uint8Array): Promise<void> => {
    for (let from = 0; from < chunk.length; from += maxPacketBytes) {
      const packet = chunk.subarray(from, from + maxPacketBytes);
      await new Promise<void>((resolve, reject) => {
        socket.write(packet, (error) => (error ? reject(error) : resolve()));
      });
    }
  };
  const input: Writable = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      // Who does not read on (EPIPE) just gets no more.
      send(chunk).then(
        () => done(),
        () => {
          done();
          input.destroy();
        },
      );
    },
    final(done) {
      if (socket.destroyed) done();
      else socket.end(() => done());
    },
  });
  socket.once("close", () => input.destroy());
  input.on("error", () => undefined); // written after the end: nobody is there to read it
  return input;
}

function outputOf(socket: Socket, { stdout = true, stderr = true }: AttachOptions): Output {
  const packets: Uint8Array[] = [];
  let ended = false;
  let wake: (() => void) | undefined;
  const end = (): void => {
    ended = true;
    wake?.();
  };
  // Chunks of `data` are packets; those of `read` may be several in one.
  socket.on("data", (packet: Uint8Array) => {
    packets.push(packet);
    socket.pause();
    wake?.();
  });
  socket.pause();
  socket.on("end", () => {
    end();
    socket.destroy();
  });
  // The monitor has gone, or its last words crossed ours: how it ended, the exit code tells.
  socket.on("error", end);
  socket.on("close", end);
  const wanted = { 1: stdout, 2: stderr };
  return (async function* () {
    socket.resume();
    try {
      for (;;) {
        const packet = packets.shift();
        if (packet === undefined) {
          if (ended) return;
          socket.resume();
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (ended || packets.length > 0) resolve();
          });
          wake = undefined;
          continue;
        }
        const stream = streamOf[packet[0] ?? 0];
        if (stream !== undefined && wanted[stream]) yield { stream, chunk: packet.subarray(1) };
      }
    } finally {
      if (!socket.destroyed) {
        socket.destroy();
        await once(socket, "close");
      }
    }
  })();
}
