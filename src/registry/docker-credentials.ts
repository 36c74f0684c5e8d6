import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isVarveError, VarveError } from "../errors/index.ts";
import { collectBytes, withDeadline } from "../flow/index.ts";
import type { Credentials, CredentialSource } from "./credentials.ts";

export interface DockerCredentialsOptions {
  /** The folder with Docker's `config.json`. It need not exist. */
  readonly dockerConfigDir: string;
  /** Told, at most once each, what keeps credentials from being found although the config names them. */
  readonly onWarning?: (message: string) => void;
  /** How long a credential helper may take, e.g. to ask for a passphrase; 60 s by default. */
  readonly helperTimeoutMs?: number;
}

interface DockerConfig {
  readonly auths: ReadonlyMap<string, Record<string, unknown>>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore: string | undefined;
}

/** Under this the Docker Hub's credentials are kept, whatever its registry's host is called. */
const hubKey = "https://index.docker.io/v1/";
const hubHosts = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);
const maxHelperBytes = 1024 * 1024;

/**
 * Credentials as Docker's command line stores them: `auths`, `credHelpers` and `credsStore` of `config.json`, and the
 * programs `docker-credential-*`. The file is read at the first question. A helper that is not installed is a warning, and the
 * user anonymous; a file or an answer that cannot be read is `CREDENTIALS_INVALID`.
 */
export function loadDockerCredentials(options: DockerCredentialsOptions): CredentialSource {
  const { helperTimeoutMs = 60_000 } = options;
  const warned = new Set<string>();
  const warn = (message: string): void => {
    if (!warned.has(message)) options.onWarning?.(message);
    warned.add(message);
  };
  let config: Promise<DockerConfig> | undefined;
  return async (host, { signal }) => {
    config ??= readConfig(join(options.dockerConfigDir, "config.json"));
    const { auths, credHelpers, credsStore } = await config;
    const key = hubHosts.has(host) ? hubKey : host;
    const helper = credHelpers.get(hostOf(key)) ?? credsStore;
    if (helper !== undefined) {
      const found = await askHelper(helper, key, { signal, helperTimeoutMs, warn });
      if (found !== undefined) return found;
    }
    const entry = auths.get(hostOf(key));
    return entry === undefined ? undefined : credentialsOf(entry, host);
  };
}

async function readConfig(path: string): Promise<DockerConfig> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      return { auths: new Map(), credHelpers: new Map(), credsStore: undefined };
    throw new VarveError("CREDENTIALS_INVALID", "cannot read Docker's config.json", {
      cause: error,
    });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message would quote the text, which holds passwords.
    throw new VarveError("CREDENTIALS_INVALID", "Docker's config.json is not JSON", {
      hint: `mend or move away ${path}`,
    });
  }
  const members = objectOf(parsed);
  const auths = new Map<string, Record<string, unknown>>();
  for (const [key, entry] of Object.entries(objectOf(members["auths"]))) auths.set(hostOf(key), objectOf(entry));
  const credHelpers = new Map<string, string>();
  for (const [key, name] of Object.entries(objectOf(members["credHelpers"]))) {
    if (typeof name === "string" && name !== "") credHelpers.set(hostOf(key), name);
  }
  const store = members["credsStore"];
  return {
    auths,
    credHelpers,
    credsStore: typeof store === "string" && store !== "" ? store : undefined,
  };
}

/** Keys are hosts or, from early times, URLs. */
function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return hubHosts.has(host) ? "index.docker.io" : host;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function credentialsOf(entry: Record<string, unknown>, host: string): Credentials | undefined {
  const text = (name: string): string | undefined =>
    typeof entry[name] === "string" && entry[name] !== "" ? entry[name] : undefined;
  const [registryToken, identityToken, auth] = [text("registrytoken"), text("identitytoken"), text("auth")];
  if (registryToken !== undefined) return { registryToken };
  if (identityToken !== undefined) return { identityToken };
  if (auth === undefined) {
    const [username, password] = [text("username"), text("password")];
    return username === undefined || password === undefined ? undefined : { username, password };
  }
  const decoded = Buffer.from(auth, "base64").toString();
  const colon = decoded.indexOf(":");
  if (colon < 1) {
    throw new VarveError("CREDENTIALS_INVALID", `the credentials for ${host} in Docker's config.json cannot be decoded`, {
      hint: `log in again with docker login ${host}`,
    });
  }
  return {
    username: decoded.slice(0, colon),
    password: decoded.slice(colon + 1).replace(/\0+$/, ""),
  };
}

/** The protocol of docker-credential-helpers: the server's name in, `{"Username", "Secret"}` out. */
async function askHelper(
  name: string,
  server: string,
  options: {
    signal: AbortSignal | undefined;
    helperTimeoutMs: number;
    warn: (message: string) => void;
  },
): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  if (!/^[A-Za-z0-9_.-]+$/.test(name))
    throw new VarveError("CREDENTIALS_INVALID", "Docker's config.json names a credential helper that is no program's name");
  const deadline = withDeadline(options.signal, options.helperTimeoutMs, {
    what: `the credential helper ${program}`,
  });
  try {
    const { output, status } = await runHelper(program, server, deadline.signal);
    if (status === 0) return readAnswer(output, program);
    if (/credentials not found/i.test(output)) return undefined;
    options.warn(`the credential helper ${program} failed for ${server}; going on without credentials`);
    return undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      options.warn(`the credential helper ${program} of Docker's config.json is not installed; going on without its credentials`);
      return undefined;
    }
    throw error;
  } finally {
    deadline.end();
  }
}

async function runHelper(program: string, server: string, signal: AbortSignal): Promise<{ output: string; status: number }> {
  const { spawn } = await import("node:child_process");
  const child = spawn(program, ["get"], { stdio: ["pipe", "pipe", "ignore"] });
  const onAbort = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const exited = new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? -1));
    });
    // A helper that ends without reading its input says why by its status.
    child.stdin.on("error", () => undefined);
    child.stdin.end(server);
    const [output, status] = await Promise.all([
      collectBytes(child.stdout, { maxBytes: maxHelperBytes, what: `the answer of ${program}` }),
      exited,
    ]);
    if (signal.aborted) throw signal.reason;
    return { output: Buffer.from(output).toString(), status };
  } catch (error) {
    child.kill("SIGKILL");
    throw isVarveError(signal.reason) ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function readAnswer(output: string, program: string): Credentials {
  let answer: Record<string, unknown>;
  try {
    answer = objectOf(JSON.parse(output));
  } catch {
    // The parser's message would quote the secret.
    throw new VarveError("CREDENTIALS_INVALID", `the credential helper ${program} did not answer with JSON`);
  }
  const { Username: username, Secret: secret } = answer;
  if (typeof username !== "string" || typeof secret !== "string")
    throw new VarveError("CREDENTIALS_INVALID", `the credential helper ${program} gave no user name and secret`);
  return username === "<token>" ? { identityToken: secret } : { username, password: secret };
}
