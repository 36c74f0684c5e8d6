import { isVarveError, VarveError } from "../errors/index.ts";
import { collectBytes, withDeadline } from "../flow/index.ts";
import type { Credentials } from "./credentials.ts";
import { objectOf } from "./docker-config.ts";

const maxHelperBytes = 1024 * 1024;
/** A helper may ask for a passphrase. */
const helperTimeoutMs = 60_000;
/** The user name under which helpers keep an identity token. */
const tokenUser = "<token>";

function programOf(name: string): string {
  if (!/^[A-Za-z0-9_.-]+$/.test(name))
    throw new VarveError("CREDENTIALS_INVALID", "Docker's config.json names a credential helper that is no program's name");
  return `docker-credential-${name}`;
}

/**
 * Asks a helper for a server's credentials: its name in, `{"Username", "Secret"}` out. One that is missing or fails is a
 * warning.
 */
export async function askHelper(
  name: string,
  server: string,
  options: {
    signal: AbortSignal | undefined;
    helperTimeoutMs: number;
    warn: (message: string) => void;
  },
): Promise<Credentials | undefined> {
  const program = programOf(name);
  const deadline = withDeadline(options.signal, options.helperTimeoutMs, {
    what: `the credential helper ${program}`,
  });
  try {
    const { output, status } = await runHelper(program, "get", server, deadline.signal);
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

async function runHelper(
  program: string,
  action: "get" | "store" | "erase",
  input: string,
  signal: AbortSignal,
): Promise<{ output: string; status: number }> {
  const { spawn } = await import("node:child_process");
  const child = spawn(program, [action], { stdio: ["pipe", "pipe", "ignore"] });
  const onAbort = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const exited = new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? -1));
    });
    // A helper that ends without reading its input says why by its status.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
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
  return username === tokenUser ? { identityToken: secret } : { username, password: secret };
}

/** Has a helper keep credentials. `CREDENTIALS_UNWRITABLE` where it cannot. */
export async function storeWithHelper(
  name: string,
  server: string,
  { username, password, identityToken }: Credentials,
  { signal }: { readonly signal: AbortSignal | undefined },
): Promise<void> {
  const [user, secret] = identityToken === undefined ? [username, password] : [tokenUser, identityToken];
  await tellHelper(name, "store", JSON.stringify({ ServerURL: server, Username: user, Secret: secret }), signal);
}

/** Has a helper forget a server. A server that it does not know is no error. */
export async function eraseWithHelper(
  name: string,
  server: string,
  { signal }: { readonly signal: AbortSignal | undefined },
): Promise<void> {
  await tellHelper(name, "erase", server, signal);
}

async function tellHelper(
  name: string,
  action: "store" | "erase",
  input: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const program = programOf(name);
  const deadline = withDeadline(signal, helperTimeoutMs, { what: `the credential helper ${program}` });
  try {
    const { output, status } = await runHelper(program, action, input, deadline.signal);
    if (status === 0 || (action === "erase" && /credentials not found/i.test(output))) return;
    throw new VarveError("CREDENTIALS_UNWRITABLE", `the credential helper ${program} failed to ${action} credentials`);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw new VarveError(
        "CREDENTIALS_UNWRITABLE",
        `the credential helper ${program} of Docker's config.json is not installed`,
        {
          cause,
          hint: "install it, or take its name out of config.json",
        },
      );
    }
    throw cause;
  } finally {
    deadline.end();
  }
}
