import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { basename, dirname } from "node:path";
import { call } from "./libc.ts";
import { fdPath, openPath } from "./open-in-root.ts";
import { SysError } from "./sys-error.ts";

const afUnix = 1;
const streams = 1;
const sequencedPackets = 5;
const nonBlocking = 0o4000;
const closeOnExec = 0o2000000;
/** The path in `struct sockaddr_un`, with its NUL. */
const maxNameBytes = 108;

/**
 * Connects to a unix socket of sequenced packets (SOCK_SEQPACKET of unix(7)), as conmon's attach socket is. Each `data` event of
 * the answer is one packet (of up to 64 KiB), and each `write` whose end is awaited before the next one sends one; `end` tells the
 * peer that no more will come. Fails with ECONNREFUSED when nobody listens, EAGAIN when too many wait. `path` may be long, its last
 * part not.
 *
 * Node makes sockets of descriptors whose kind it knows, and it does not know this one: so it gets one that it knows, which is then
 * replaced, before the event loop has looked at it. libuv reads and writes both in the same way.
 */
export function connectPackets(path: string): Socket {
  const packets = connectTo(path);
  try {
    const known = call("socket", path, (c) => c.socket(afUnix, streams | nonBlocking | closeOnExec, 0));
    const socket = new Socket({ fd: known, readable: true, writable: true, allowHalfOpen: true });
    call("dup3", path, (c) => c.dup3(packets, known, closeOnExec));
    return socket;
  } finally {
    closeSync(packets);
  }
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
