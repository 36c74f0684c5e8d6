import { createSocket, type Socket } from "node:dgram";
import { connect, type Server } from "node:net";
import type { ForwardMessage } from "./forward-ports.ts";

/** A client that was silent for this long is forgotten. */
const silenceMs = 90_000;
/** Clients of one UDP port at a time; the oldest one makes room. */
const maxClients = 1024;

// Sockets of the machine come from the process that started this one; this one is in the containers' network namespace.
process.on("message", (message: ForwardMessage, socket: Server | Socket) => {
  if (message.protocol === "tcp") forwardTcp(socket as Server, message);
  else forwardUdp(socket as Socket, message);
  process.send?.("listening");
});

function forwardTcp(server: Server, { address, port }: ForwardMessage): void {
  server.on("connection", (incoming) => {
    incoming.pause();
    const outgoing = connect({ host: address, port, allowHalfOpen: true });
    incoming.allowHalfOpen = true;
    // whatever happens to one of the two happens to the other
    incoming.on("error", () => outgoing.destroy());
    outgoing.on("error", () => incoming.resetAndDestroy());
    outgoing.once("connect", () => {
      incoming.pipe(outgoing);
      outgoing.pipe(incoming);
    });
    incoming.on("close", () => outgoing.destroy());
    outgoing.on("close", () => incoming.destroySoon());
  });
}

function forwardUdp(server: Socket, { address, port }: ForwardMessage): void {
  const clients = new Map<string, { readonly socket: Socket; timer: NodeJS.Timeout }>();
  const forget = (key: string): void => {
    const client = clients.get(key);
    clients.delete(key);
    clearTimeout(client?.timer);
    client?.socket.close();
  };
  server.on("message", (packet, { address: from, port: fromPort }) => {
    const key = `${from} ${fromPort}`;
    let client = clients.get(key);
    if (client === undefined) {
      const [oldest] = clients.keys();
      if (clients.size >= maxClients && oldest !== undefined) forget(oldest);
      const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
      socket.on("message", (answer, sender) => {
        if (sender.address !== address || sender.port !== port) return;
        clients.get(key)?.timer.refresh();
        server.send(answer, fromPort, from);
      });
      socket.on("error", () => forget(key));
      client = { socket, timer: setTimeout(() => forget(key), silenceMs) };
      clients.set(key, client);
    }
    client.timer.refresh();
    client.socket.send(packet, port, address);
  });
}
