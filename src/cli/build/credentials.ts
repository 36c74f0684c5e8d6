import { open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { VarveError } from "../../errors/index.ts";
import type { BuildOptions } from "../../engine/index.ts";
import { cut } from "../flags.ts";
import { splitCsv } from "../format/csv.ts";
import type { Io } from "../io.ts";

type Secrets = NonNullable<BuildOptions["secrets"]>;
type Agents = NonNullable<BuildOptions["ssh"]>;
type Entitlements = NonNullable<BuildOptions["allow"]>;
type Outside = Pick<Io, "cwd" | "env">;

/** A secret may have this many bytes, as in BuildKit. */
const maxSecretBytes = 500 * 1024;

/**
 * `[type=file|env,]id=ID[,src|source=PLACE][,env=NAME]` (B28). Without a place the environment's variable of that name is
 * taken, else the file of that name. A file is looked at now, and read when a step needs it.
 */
export async function parseSecrets(values: readonly string[], outside: Outside): Promise<Secrets> {
  const secrets: Record<string, NonNullable<Secrets[string]>> = Object.create(null) as Record<
    string,
    NonNullable<Secrets[string]>
  >;
  for (const value of values) {
    const { id, env, file } = readSecretFields(value, outside);
    if (env !== undefined) secrets[id] = outside.env[env] ?? "";
    else secrets[id] = await secretFile(id, resolve(outside.cwd, file));
  }
  return secrets;
}

type SecretPlace = { readonly id: string } & (
  | { readonly env: string; readonly file?: never }
  | { readonly env?: never; readonly file: string }
);

function readSecretFields(value: string, { env: environment }: Outside): SecretPlace {
  const fields = readFields(value, "--secret", ["type", "id", "source", "src", "env"]);
  const type = fields.get("type");
  if (type !== undefined && type !== "file" && type !== "env")
    throw usage(`unsupported secret type "${type}"`, "there are file and env");
  const id = fields.get("id") ?? "";
  if (id === "") throw usage("secret missing ID", "write --secret id=NAME,src=FILE or --secret id=NAME,env=VARIABLE");
  const source = fields.get("src") ?? fields.get("source") ?? "";
  const named = fields.get("env") ?? "";
  const env = named === "" && type === "env" ? source : named;
  if (env !== "") return { id, env };
  if (source !== "") return { id, file: source };
  return environment[id] === undefined ? { id, file: id } : { id, env: id };
}

async function secretFile(id: string, path: string): Promise<() => Promise<Uint8Array>> {
  const size = await sizeOf(path);
  if (size > maxSecretBytes) throw new VarveError("SECRET_TOO_LARGE", `secret ${id} too big. max size 500KiB`);
  return async () => {
    try {
      await using handle = await open(path);
      // one more than may be: the store then says that it is too much
      const buffer = Buffer.alloc(maxSecretBytes + 1);
      let length = 0;
      for (let read = -1; read !== 0 && length < buffer.length; length += read) {
        ({ bytesRead: read } = await handle.read(buffer, length, buffer.length - length, null));
      }
      return buffer.subarray(0, length);
    } catch (cause) {
      throw new VarveError("FILE_UNREADABLE", `cannot read the secret ${id} from ${path}`, { cause });
    }
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    throw new VarveError("FILE_UNREADABLE", `failed to stat ${path}: no such file or directory`, { cause });
  }
}

/** `default|ID[=SOCKET|KEY[,KEY]]` (B30). Without a path it is the agent of SSH_AUTH_SOCK. */
export async function parseAgents(values: readonly string[], { cwd, env }: Outside): Promise<Agents> {
  const agents: Record<string, Agents[string]> = Object.create(null) as Record<string, Agents[string]>;
  for (const value of values) {
    const [id, given] = cut(value, "=");
    if (id === "") throw usage(`invalid ssh value "${value}": the id is empty`, "write --ssh default or --ssh ID=SOCKET");
    if (Object.hasOwn(agents, id)) throw usage(`duplicate agent ID "${id}"`);
    const paths = given === undefined || given === "" ? [] : splitCsv(given, "--ssh");
    if (paths.some((path) => path.startsWith("raw=")))
      throw new VarveError("NOT_SUPPORTED_YET", "raw sockets of --ssh are not supported yet");
    agents[id] = paths.length === 0 ? { socket: runningAgent(env) } : await agentOf(paths.map((path) => resolve(cwd, path)));
  }
  return agents;
}

function runningAgent(env: Outside["env"]): string {
  const socket = env["SSH_AUTH_SOCK"] ?? "";
  if (socket === "")
    throw usage("invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set", "start one with: eval $(ssh-agent) && ssh-add");
  return socket;
}

async function agentOf(paths: readonly string[]): Promise<Agents[string]> {
  const sockets: string[] = [];
  for (const path of paths) {
    const isSocket = await stat(path).then(
      (found) => found.isSocket(),
      (cause: unknown) => {
        throw new VarveError("FILE_UNREADABLE", `stat ${path}: no such file or directory`, { cause });
      },
    );
    if (isSocket) sockets.push(path);
  }
  const [socket] = sockets;
  if (socket === undefined) return { keys: paths };
  if (sockets.length > 1) throw usage("only single socket allowed");
  if (paths.length > 1) throw usage("invalid combination of keys and sockets");
  return { socket };
}

/** What a build may ask for beyond the sandbox (B02). */
export function parseEntitlements(values: readonly string[]): Entitlements {
  return values.map((value) => {
    if (value === "network.host" || value === "security.insecure") return value;
    if (/^device(=|$)/.test(value) || value === "buildx.local.delete")
      throw new VarveError("NOT_SUPPORTED_YET", `--allow ${value} is not supported yet`);
    throw usage(`unknown entitlement ${value}`, "there are network.host and security.insecure");
  });
}

/** The fields of a `key=value` list by their key, in lower case; of two alike the last counts. */
function readFields(value: string, flag: string, keys: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of splitCsv(value, flag)) {
    const [key, text] = cut(field, "=");
    if (text === undefined) throw usage(`invalid field '${field}' must be a key=value pair`);
    const known = key.toLowerCase();
    if (!keys.includes(known)) throw usage(`unexpected key '${key}' in '${field}'`, `there are ${keys.join(", ")}`);
    fields.set(known, text);
  }
  return fields;
}

function usage(message: string, hint?: string): VarveError {
  return new VarveError("USAGE", message, hint === undefined ? {} : { hint });
}
