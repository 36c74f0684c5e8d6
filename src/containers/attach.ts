import { Writable } from "node:stream";
import { VarveError } from "../errors/index.ts";
import { sleep } from "../flow/index.ts";
import { connectPackets, hasCode, type PacketSocket } from "../sys/index.ts";
import type { ContainerHandle } from "./handle.ts";
import { sizeSender } from "./terminal-size.ts";
import type { Attached, AttachOptions } from "./types.ts";

/** Where conmon listens for those who attach: to a container, or to a process in it. */
export type AttachPlace = Pick<ContainerHandle, "attachSocketPath" | "controlPath" | "tty">;

type Output = AsyncGenerator<{ readonly stream: 1 | 2; readonly chunk: Uint8Array }, void, void>;

/** conmon reads into a buffer of this size; what is left of a longer packet would be lost. (conmon, src/config.h) */
const maxPacketBytes = 32_768;
/** Of up to 8 KiB each; then conmon waits, and the program with it. */
const maxWaiting = 16;
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
  const packets: Buffer[] = [];
  let isOver = false;
  let wake: (() => void) | undefined;
  const socket = await connect(place.attachSocketPath, {
    onPacket(packet) {
      packets.push(packet);
      wake?.();
      return packets.length < maxWaiting;
    },
    onEnd() {
      isOver = true;
      wake?.();
    },
  });
  const next = async (): Promise<Buffer | undefined> => {
    while (packets.length === 0 && !isOver) {
      socket.resume();
      await new Promise<void>((resolve) => (wake = resolve));
      wake = undefined;
    }
    return packets.shift();
  };
  const sizes = sizeSender(place.controlPath);
  if (place.tty && options.size !== undefined) await sizes.send(options.size);
  let exitCode: Promise<number> | undefined;
  return {
    ...(options.stdin === true ? { stdin: inputOf(socket, () => isOver) } : {}),
    output: outputOf(next, socket, options),
    resize: async (size) => {
      if (place.tty) await sizes.send(size);
    },
    detach() {
      packets.length = 0;
      socket.close();
    },
    get exitCode() {
      return (exitCode ??= waitForExit());
    },
  };
}

/** As many as conmon lets wait may be there before us. */
async function connect(path: string, listener: Parameters<typeof connectPackets>[1]): Promise<PacketSocket> {
  for (;;) {
    try {
      return connectPackets(path, listener);
    } catch (error) {
      if (hasCode(error, "ENOENT", "ECONNREFUSED"))
        throw new VarveError("CONTAINER_CONFLICT", "You cannot attach to a stopped container, start it first", { cause: error });
      if (!hasCode(error, "EAGAIN")) throw error;
      await sleep(10);
    }
  }
}

/** Who does not read on just gets no more: that is no failure of whoever writes. */
function inputOf(socket: PacketSocket, isOver: () => boolean): Writable {
  const send = async (chunk: Uint8Array): Promise<boolean> => {
    try {
      for (let from = 0; from < chunk.length; from += maxPacketBytes) {
        if (isOver()) return false;
        await socket.send(chunk.subarray(from, from + maxPacketBytes));
      }
      return true;
    } catch {
      return false;
    }
  };
  const input: Writable = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      void send(chunk).then((isTaken) => {
        done();
        if (!isTaken) input.destroy();
      });
    },
    final(done) {
      if (!isOver()) socket.finish();
      done();
    },
  });
  input.on("error", () => undefined); // written after the end: nobody is there to read it
  return input;
}

async function* outputOf(
  next: () => Promise<Buffer | undefined>,
  socket: PacketSocket,
  { stdout = true, stderr = true }: AttachOptions,
): Output {
  const wanted = { 1: stdout, 2: stderr };
  try {
    for (let packet = await next(); packet !== undefined; packet = await next()) {
      const stream = streamOf[packet[0] ?? 0];
      if (stream !== undefined && wanted[stream]) yield { stream, chunk: packet.subarray(1) };
    }
  } finally {
    socket.close();
  }
}
