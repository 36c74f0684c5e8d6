/** A registry of a test's own, with or without passwords, tokens and TLS, which can be stopped. */
import { execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Registry {
  readonly host: string;
  /** Where it keeps its files. */
  readonly storage: string;
  /** For varve.toml: how to reach it. */
  readonly settings: string;
  stop(): Promise<void>;
}

export interface RegistryOptions {
  /** Asks for this user's password: "s3cret". */
  readonly user?: string;
  /** Speaks TLS with a certificate of a CA that nobody knows. */
  readonly certificate?: Certificate;
  /** Asks for tokens of this server instead. */
  readonly tokens?: { readonly realm: string; readonly service: string; readonly issuer: string; readonly bundle: string };
}

/** "s3cret", as `htpasswd -B` writes it. */
const passwordHash = "$2b$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK";
export const registryPassword = "s3cret";

/** How long a busy machine may take to start one. */
const patienceMs = 120_000;
/** Which of them answers: somebody else's may have the port. */
const mark = "x-registry-of-test";

/** Debian's docker-registry over an empty folder. It ends with this process at the latest. */
export async function startRegistry(folder: string, options: RegistryOptions = {}): Promise<Registry> {
  // a port that was free a moment ago may be another's now
  for (let tries = 1; ; tries += 1) {
    const registry = await tryToStart(folder, options);
    if (registry !== undefined) return registry;
    if (tries === 5) throw new Error("the registry does not start");
  }
}

async function tryToStart(folder: string, { user, certificate, tokens }: RegistryOptions): Promise<Registry | undefined> {
  mkdirSync(folder, { recursive: true });
  const port = await findFreePort();
  const host = `127.0.0.1:${port}`;
  const config = join(folder, "registry.json");
  const own = randomUUID();
  writeFileSync(
    config,
    JSON.stringify({
      version: "0.1",
      log: { level: "error", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(folder, "storage") }, delete: { enabled: true } },
      http: {
        addr: host,
        headers: { [mark]: [own] },
        ...(certificate === undefined ? {} : { tls: { certificate: certificate.cert, key: certificate.key } }),
      },
      ...authOf(folder, user, tokens),
    }),
  );
  const { PATH = "" } = process.env;
  const env = { PATH, OTEL_TRACES_EXPORTER: "none" };
  const server = spawn("setpriv", ["--pdeathsig", "KILL", "docker-registry", "serve", config], { stdio: "ignore", env });
  const ended = once(server, "exit");
  for (const begin = Date.now(); !(await answers(host, { tls: certificate !== undefined, own })); await sleep(50)) {
    if (server.exitCode !== null) return undefined;
    if (Date.now() - begin > patienceMs) throw new Error(`the registry on ${host} does not answer`);
  }
  return {
    host,
    storage: join(folder, "storage"),
    settings:
      certificate === undefined
        ? `[registry."${host}"]\nhttp = true\n`
        : `[registry."${host}"]\nhttp = false\nca = ["${certificate.ca}"]\n`,
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

function authOf(folder: string, user: string | undefined, tokens: RegistryOptions["tokens"]): object {
  if (tokens !== undefined) {
    const { bundle, ...token } = tokens;
    return { auth: { token: { ...token, rootcertbundle: bundle } } };
  }
  if (user === undefined) return {};
  const path = join(folder, "htpasswd");
  writeFileSync(path, `${user}:${passwordHash}\n`);
  return { auth: { htpasswd: { realm: "test", path } } };
}

/** Files of a certificate for 127.0.0.1, its key, and the CA that signed it. */
export interface Certificate {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A CA of the test's own and a certificate that it signed. */
export function makeCertificate(folder: string): Certificate {
  mkdirSync(folder, { recursive: true });
  const at = (name: string) => join(folder, name);
  const openssl = (...args: readonly string[]) => execFileSync("openssl", args, { stdio: "ignore" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const usage = ["-addext", "keyUsage=keyCertSign"];
  openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    at("ca.key"),
    "-out",
    at("ca.crt"),
    "-subj",
    "/CN=Test CA",
    "-days",
    "2",
    ...usage,
  );
  openssl("req", ...newKey, "-keyout", at("key.pem"), "-out", at("request.pem"), "-subj", "/CN=127.0.0.1");
  writeFileSync(at("names"), "subjectAltName=IP:127.0.0.1\n");
  const signing = ["-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-CAcreateserial", "-extfile", at("names")];
  openssl("x509", "-req", "-in", at("request.pem"), "-out", at("cert.pem"), "-days", "2", ...signing);
  return { ca: at("ca.crt"), cert: at("cert.pem"), key: at("key.pem") };
}

/** True as soon as it speaks HTTP, also where that wants credentials. */
async function answers(host: string, { tls, own }: { readonly tls: boolean; readonly own: string }): Promise<boolean> {
  const { request } = tls ? await import("node:https") : await import("node:http");
  return await new Promise((resolve) => {
    const asked = request(`${tls ? "https" : "http"}://${host}/v2/`, { rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve((response.statusCode === 200 || response.statusCode === 401) && response.headers[mark] === own);
    });
    asked.on("error", () => resolve(false)).end();
    asked.setTimeout(5000, () => asked.destroy());
  });
}
