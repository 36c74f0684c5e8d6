import type { ChildProcess } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { VarveError } from "../errors/index.ts";
import { modulePath } from "../package/index.ts";
import { lastWords, startLasting } from "./processes.ts";
import type { Place } from "./programs.ts";
import type { PublishedPort } from "./types.ts";

/** A port of this machine that this process holds. */
export interface HeldPort {
  readonly port: PublishedPort;
  readonly socket: Server | Socket;
}

/** What the forwarding process is told with each socket. */
export interface ForwardMessage {
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
}

/** Binds a port. Rejects with what the system says: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
export async function holdPort(port: PublishedPort): Promise<HeldPort> {
  const { hostIp: address, hostPort, protocol } = port;
  if (protocol === "udp") {
    const socket = createSocket(address.includes(":") ? { type: "udp6", ipv6Only: true } : { type: "udp4" });
    socket.bind({ address, port: hostPort, exclusive: true });
    await once(socket, "listening");
    return { port, socket };
  }
  const socket = createServer();
  socket.listen({ host: address, port: hostPort, ipv6Only: address.includes(":"), exclusive: true });
  await once(socket, "listening");
  return { port, socket };
}

/** Lets a port go, also for the second time. */
export async function releasePort(held: HeldPort): Promise<void> {
  if (released.has(held)) return;
  released.add(held);
  await new Promise<void>((resolve) => held.socket.close(() => resolve()));
}

const released = new WeakSet<HeldPort>();

/**
 * Hands ports over to a process in the place's network namespace, which passes on what comes in there. A socket belongs to the
 * namespace that it was made in, whoever listens to it: so the ports are this machine's, and the process reaches containers.
 * Fails with NETWORK_FAILED where that process ends before it listens.
 */
export async function forwardPorts(
  place: Place,
  held: readonly HeldPort[],
  target: { readonly ipv4: string; readonly ipv6: string | undefined },
  log: { readonly folder: string; readonly name: string },
): Promise<string> {
  const { child, owner } = await startLasting(
    [...place.enter, process.execPath, "--disable-warning=ExperimentalWarning", modulePath("networks/forward-entry")],
    { ...log, further: ["ipc"] },
  );
  for (const one of held) {
    const { port, socket } = one;
    const address = (port.hostIp.includes(":") ? target.ipv6 : undefined) ?? target.ipv4;
    const message: ForwardMessage = { protocol: port.protocol, address, port: port.containerPort };
    const listening = untilListening(child, log);
    child.send(message, socket as Server, (error) => error !== null && child.kill("SIGKILL"));
    await listening;
    await releasePort(one);
  }
  child.disconnect();
  child.unref();
  return owner;
}

/** The process says when it listens. */
async function untilListening(child: ChildProcess, log: { readonly folder: string; readonly name: string }): Promise<void> {
  const waiting = new AbortController();
  const { signal } = waiting;
  const ended = async (): Promise<never> => {
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit", { signal });
    throw new VarveError("NETWORK_FAILED", `the process that forwards ports ended before it listened: ${lastWords(log)}`);
  };
  try {
    await Promise.race([once(child, "message", { signal }), ended()]);
  } finally {
    waiting.abort();
  }
}
