/** A registry of a test's own, which can be stopped. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Registry {
  readonly host: string;
  /** For varve.toml: how to reach it. */
  readonly settings: string;
  stop(): Promise<void>;
}

/** Debian's docker-registry over an empty folder, without TLS. It ends with this process at the latest. */
export async function startRegistry(folder: string): Promise<Registry> {
  mkdirSync(folder, { recursive: true });
  const port = await findFreePort();
  const host = `127.0.0.1:${port}`;
  const config = join(folder, "registry.json");
  writeFileSync(
    config,
    JSON.stringify({
      version: "0.1",
      log: { level: "error", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(folder, "storage") }, delete: { enabled: true } },
      http: { addr: host },
    }),
  );
  const { PATH = "" } = process.env;
  const env = { PATH, OTEL_TRACES_EXPORTER: "none" };
  const server = spawn("setpriv", ["--pdeathsig", "KILL", "docker-registry", "serve", config], { stdio: "ignore", env });
  const ended = once(server, "exit");
  for (let tries = 0; !(await answers(host)); tries += 1) {
    if (server.exitCode !== null || tries === 200) throw new Error(`the registry on ${host} does not answer`);
    await sleep(50);
  }
  return {
    host,
    settings: `[registry."${host}"]\nhttp = true\n`,
    async stop() {
      server.kill("SIGKILL");
      await ended;
    },
  };
}

export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function answers(host: string): Promise<boolean> {
  try {
    return (await fetch(`http://${host}/v2/`)).ok;
  } catch {
    return false;
  }
}
