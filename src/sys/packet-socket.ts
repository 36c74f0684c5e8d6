import { closeSync } from "node:fs";
import { Socket, type SocketConstructorOpts } from "node:net";
import { basename, dirname } from "node:path";
import { call, load } from "./libc.ts";
import { fdPath, openPath } from "./open-in-root.ts";
import { SysError } from "./sys-error.ts";

const afUnix = 1;
const streams = 1;
const sequencedPackets = 5;
const nonBlocking = 0o4000;
const closeOnExec = 0o2000000;
/** The path in `struct sockaddr_un`, with its NUL. */
const maxNameBytes = 108;
const maxPacketBytes = 65_536;

export interface PacketListener {
  /** False: no more until {@link PacketSocket.resume}. The packet is the listener's to keep. */
  readonly onPacket: (packet: Buffer) => boolean;
  /** Once, when no more will come: the peer has ended, or {@link PacketSocket.close} was called. */
  readonly onEnd: () => void;
}

export interface PacketSocket {
  /** Sends one packet; resolves when it has left. Await it before the next. Fails with EPIPE or ECONNRESET when the peer takes no more. */
  send(packet: Uint8Array): Promise<void>;
  /** Tells the peer that no more will come. */
  finish(): void;
  resume(): void;
  close(): void;
}

/**
 * Connects to a unix socket of sequenced packets (SOCK_SEQPACKET of unix(7)), as conmon's attach socket is; packets are of up to 64 KiB.
 * All that the peer sent before it ended comes, whatever became of what was sent to it. Fails with ECONNREFUSED when nobody listens,
 * EAGAIN when too many wait. `path` may be long, its last part not.
 *
 * Node makes sockets of descriptors whose kind it knows, and it does not know this one: so it gets some that it knows, which are then
 * replaced, before the event loop has looked at them. libuv reads and writes both in the same way.
 */
export function connectPackets(path: string, { onPacket, onEnd }: PacketListener): PacketSocket {
  const packets = connectTo(path);
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    reader.destroy();
    writer.destroy();
    closeSync(packets);
    onEnd();
  };
  // A peer that ends without having read all is an error (ECONNRESET), which comes before the packets that it had sent.
  const drain = (): void => {
    if (isOver) return;
    const { libc } = load();
    const buffer = Buffer.allocUnsafe(maxPacketBytes);
    for (let length = 0; (length = libc.read(packets, buffer, buffer.length)) > 0;)
      onPacket(Buffer.from(buffer.subarray(0, length)));
    end();
  };
  const callback = (length: number, buffer: Uint8Array): boolean => onPacket(Buffer.from(buffer.subarray(0, length)));
  const reader = socketOf(packets, { writable: false, onread: { buffer: Buffer.allocUnsafe(maxPacketBytes), callback } });
  // Two sockets: Node gives up all of one that cannot be written to.
  const writer = socketOf(packets, { readable: false });
  for (const event of ["end", "error", "close"]) reader.on(event, drain);
  writer.on("error", () => undefined); // who waits for the end of a write hears of it
  return {
    send: async (packet) =>
      await new Promise((resolve, reject) => {
        writer.write(packet, (error) => (error ? reject(error) : resolve()));
      }),
    finish: () => void writer.end(),
    resume: () => void reader.resume(),
    close: end,
  };
}

function socketOf(packets: number, options: SocketConstructorOpts): Socket {
  const known = call("socket", undefined, (c) => c.socket(afUnix, streams | nonBlocking | closeOnExec, 0));
  const socket = new Socket({ readable: true, writable: true, ...options, fd: known, allowHalfOpen: true });
  call("dup3", undefined, (c) => c.dup3(packets, known, closeOnExec));
  return socket;
}

function connectTo(path: string): number {
  const fd = call("socket", path, (c) => c.socket(afUnix, sequencedPackets | nonBlocking | closeOnExec, 0));
  try {
    const folder = openPath(dirname(path));
    try {
      const name = Buffer.from(`${fdPath(folder)}/${basename(path)}\0`);
      if (name.length > maxNameBytes) throw new SysError(36, "connect", path);
      const address = Buffer.concat([Buffer.from(Uint16Array.of(afUnix).buffer), name]);
      call("connect", path, (c) => c.connect(fd, address, address.length));
      return fd;
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
