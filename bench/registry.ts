import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A registry on this machine over an empty folder. */
export interface BenchRegistry {
  readonly host: string;
  /** A second address, at which the bytes that come in are counted. */
  readonly countedHost: string;
  /** Bytes that have come in there since the last call. */
  takeBytes(): number;
  stop(): Promise<void>;
}

export const hasRegistry = spawnSync("docker-registry", ["--version"]).error === undefined;

/** Debian's docker-registry; it ends with this process at the latest. */
export async function startRegistry(folder: string): Promise<BenchRegistry> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const config = join(folder, "registry.json");
  const storage = { filesystem: { rootdirectory: join(folder, "storage") } };
  writeFileSync(config, JSON.stringify({ version: "0.1", log: { level: "error" }, storage, http: { addr: host } }));
  const { PATH = "" } = process.env;
  const server = spawn("setpriv", ["--pdeathsig", "KILL", "docker-registry", "serve", config], {
    stdio: "ignore",
    env: { PATH, OTEL_TRACES_EXPORTER: "none" },
  });
  const ended = once(server, "exit");
  for (let tries = 0; !(await answers(host)); tries += 1) {
    if (server.exitCode !== null || tries === 200) throw new Error(`the registry on ${host} does not answer`);
    await sleep(50);
  }
  let bytes = 0;
  const counter = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    client.on("data", (chunk) => (bytes += chunk.length));
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
    client.pipe(upstream);
    upstream.pipe(client);
  });
  const counted = await listen(counter);
  return {
    host,
    countedHost: `127.0.0.1:${counted}`,
    takeBytes() {
      const taken = bytes;
      bytes = 0;
      return taken;
    },
    async stop() {
      counter.close();
      server.kill("SIGKILL");
      await ended;
      rmSync(join(folder, "storage"), { recursive: true, force: true });
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  return port;
}

async function answers(host: string): Promise<boolean> {
  try {
    return (await fetch(`http://${host}/v2/`)).ok;
  } catch {
    return false;
  }
}
