import { once } from "node:events";
import { chmodSync, chownSync, closeSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { basename, dirname } from "node:path";
import { fdPath, openPath } from "../sys/index.ts";
import { relayAgent } from "./agent-filter.ts";

/** A socket that steps can talk to an agent through. */
export interface AgentService extends AsyncDisposable {
  readonly path: string;
}

export interface ServeAgentOptions {
  /** The agent's own socket. */
  readonly agent: string;
  /** Where to listen: a path in a folder that exists. */
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** A step has no use for more at a time; each costs file descriptors. */
const maxConnections = 100;
/** The longest path that an address of a socket holds. (unix(7)) */
const maxAddressBytes = 107;

/**
 * Listens on a socket with this owner and mode, and relays what clients say to the agent, filtered. A connection that fails
 * ends alone: the client sees it close.
 */
export async function serveAgent({ agent, path, uid, gid, mode }: ServeAgentOptions): Promise<AgentService> {
  const connections = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = atShortPath(agent, (address) => connect({ path: address }));
    const pair = [client, upstream];
    for (const socket of pair) {
      connections.add(socket);
      socket.once("close", () => connections.delete(socket));
      socket.on("error", () => pair.forEach((each) => each.destroy()));
    }
    relayAgent(client, upstream).catch(() => pair.forEach((each) => each.destroy()));
  });
  server.maxConnections = maxConnections;
  await listen(server, path);
  const close = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    for (const socket of connections) socket.destroy();
    await closed;
    rmSync(path, { force: true });
  };
  try {
    chownSync(path, uid, gid);
    chmodSync(path, mode);
  } catch (error) {
    await close();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: close };
}

async function listen(server: Server, path: string): Promise<void> {
  const listening = once(server, "listening");
  atShortPath(path, (address) => server.listen({ path: address }));
  await listening;
}

/** Names a socket by its open folder where its path is too long for an address. Node binds and connects before it returns. */
function atShortPath<T>(path: string, use: (address: string) => T): T {
  if (Buffer.byteLength(path) <= maxAddressBytes) return use(path);
  const folder = openPath(dirname(path));
  try {
    return use(`${fdPath(folder)}/${basename(path)}`);
  } finally {
    closeSync(folder);
  }
}
