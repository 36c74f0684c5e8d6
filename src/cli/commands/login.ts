import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { nonEmpty } from "../store.ts";
import type { Io } from "../io.ts";

const maxPasswordBytes = 1024 * 1024;
/** As Docker names its Hub; under this it keeps its logins too. */
export const hubAddress = "https://index.docker.io/v1/";

export const login = defineCommand({
  usage: "[OPTIONS] [SERVER]",
  flags: {
    password: { kind: "string", short: "p", help: "Password or access token" },
    "password-stdin": { kind: "bool", help: "Take the password or access token from stdin" },
    username: { kind: "string", short: "u", help: "User name" },
  },
  args: { min: 0, max: 1 },
  async run({ flags, args: [server], io, openStore }) {
    const registry = hostOfServer(server);
    const { logins } = await openStore();
    if (flags["password-stdin"] === true && flags.password !== undefined)
      throw new VarveError("USAGE", "conflicting options: cannot specify both --password and --password-stdin");
    const username = nonEmpty(flags.username);
    if (flags["password-stdin"] === true && username === undefined)
      throw new VarveError("USAGE", "the --password-stdin option requires --username to be set");
    if (flags.password !== undefined)
      io.stderr.print("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n");
    const password = flags["password-stdin"] === true ? await readPassword(io) : nonEmpty(flags.password);
    if (username === undefined && password === undefined && (await isKnown(registry, logins, io))) return;
    const typed = await ask(registry, { username, password }, io);
    const place = await logins.login({ registry, ...typed }, { signal: io.signal });
    if ("file" in place) {
      io.stderr.print(
        `\nWARNING! Your credentials are stored unencrypted in '${place.file}'.\n` +
          "Configure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n",
      );
    }
    io.stdout.print("Login Succeeded\n");
  },
});

/** The host of a server as the command line names it: a host, or an address as from early times. */
export function hostOfServer(server: string | undefined): string {
  const host = (server ?? "docker.io").replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  if (host === "" || !URL.canParse(`https://${host}/`) || /[@?#\\\s]/.test(host))
    throw new VarveError("USAGE", `"${server ?? ""}" is not the address of a registry`, {
      hint: "write it as HOST or HOST:PORT",
    });
  return ["index.docker.io", "registry-1.docker.io", "hub.docker.com"].includes(host) ? "docker.io" : host;
}

async function readPassword(io: Io): Promise<string> {
  const { collectBytes } = await import("../../flow/index.ts");
  const bytes = await collectBytes(io.stdin.chunks(), { maxBytes: maxPasswordBytes, what: "the password" });
  const password = Buffer.from(bytes)
    .toString()
    .replace(/\r?\n$/, "");
  if (password === "") throw new VarveError("USAGE", "the password on stdin is empty");
  return password;
}

interface KnownLogins {
  check(registry: string, options: { readonly signal: AbortSignal }): Promise<{ readonly username?: string } | undefined>;
}

/** Credentials that are kept and still good need not be typed again. */
async function isKnown(registry: string, logins: KnownLogins, io: Io): Promise<boolean> {
  try {
    const known = await logins.check(registry, { signal: io.signal });
    if (known === undefined) return false;
    const who = known.username === undefined ? "" : ` [Username: ${known.username}]`;
    io.stderr.print(`Authenticating with existing credentials...${who}\n`);
    io.stdout.print("Login Succeeded\n");
    return true;
  } catch (error) {
    const { isVarveError } = await import("../../errors/index.ts");
    if (!isVarveError(error) || error.code !== "REGISTRY_DENIED") throw error;
    io.stderr.print(`Login did not succeed, error: ${error.message}\n`);
    return false;
  }
}

async function ask(
  registry: string,
  { username, password }: { readonly username: string | undefined; readonly password: string | undefined },
  io: Io,
): Promise<{ readonly username: string; readonly password: string }> {
  if (username !== undefined && password !== undefined) return { username, password };
  if (!io.stdin.isTerminal) {
    throw new VarveError("USAGE", "Cannot perform an interactive login from a non TTY device", {
      hint: "give --username and --password-stdin",
    });
  }
  const { createPrompt } = await import("../prompt.ts");
  const prompt = createPrompt(io);
  const name = username ?? (await prompt.ask(`Username for ${registry}: `));
  const secret = password ?? (await prompt.ask("Password: ", { isSecret: true }));
  if (name === "" || secret === "") throw new VarveError("USAGE", "a user name and a password are needed");
  return { username: name, password: secret };
}
