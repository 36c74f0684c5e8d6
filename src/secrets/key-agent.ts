import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { VarveError } from "../errors/index.ts";

/** OpenSSH's agent, holding the keys of some files. Dispose of it to end it. */
export interface KeyAgent extends AsyncDisposable {
  readonly socket: string;
}

/** A larger file is no private key, in bytes: BuildKit's limit. */
const maxKeyBytes = 100 * 1024;

/** Holds the agent until our end of the pipe is gone, in whatever way: neither it nor its folder outlives this process. */
const holdAgent =
  'command -v ssh-agent >/dev/null || exit 127; ssh-agent -D -a "$0" & exec >&-; read -r _; kill $!; wait; rm -rf "${0%/*}"';

/** Starts `ssh-agent` in a private folder and hands it the keys. Fails with SSH_AGENT_MISSING, SSH_KEY_UNREADABLE. */
export async function startKeyAgent(keys: readonly string[], { path }: { readonly path: string }): Promise<KeyAgent> {
  const folder = await mkdtemp(join(tmpdir(), "varve-ssh-"));
  const socket = join(folder, "agent");
  const environment = { PATH: path, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: "never" };
  let holder: Tool | undefined;
  const end = async (): Promise<void> => {
    if (holder !== undefined && holder.exitCode === null) {
      holder.stdin.end();
      await once(holder, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    holder = await start("/bin/sh", ["-c", holdAgent, socket], environment);
    if (!(await saysSomething(holder.stdout))) {
      holder.stdin.end();
      throw missing("ssh-agent", new Error(await readAll(holder.stderr)));
    }
    for (const key of keys) await addKey(key, environment);
  } catch (error) {
    await end();
    throw error;
  }
  return { socket, [Symbol.asyncDispose]: end };
}

/** Through a pipe: a key is on no command line, and its file may have the mode that its owner chose. */
async function addKey(file: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const key = await readKey(file);
  const child = await start("ssh-add", ["-q", "-"], environment);
  const complaint = readAll(child.stderr);
  const exited = once(child, "exit");
  child.stdin.on("error", () => undefined); // it has given up reading, and says why
  child.stdin.end(key);
  const [code] = (await exited) as [number | null];
  if (code === 0) return;
  throw new VarveError("SSH_KEY_UNREADABLE", `failed to parse ${file}: it is no private key, or has a passphrase`, {
    hint: "add keys with a passphrase to an agent of your own with ssh-add, and give --ssh default",
    cause: new Error(await complaint),
  });
}

async function readKey(file: string): Promise<Buffer> {
  try {
    await using handle = await open(file);
    const buffer = Buffer.alloc(maxKeyBytes);
    const { bytesRead } = await handle.read(buffer, 0, maxKeyBytes, 0);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    throw new VarveError("SSH_KEY_UNREADABLE", `cannot read the key ${file}`, { cause });
  }
}

type Tool = ChildProcessByStdio<Writable, Readable, Readable>;

/** In a session of its own: without a terminal, nothing can ask for a passphrase. */
async function start(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Tool> {
  const { spawn } = await import("node:child_process");
  const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"], detached: true });
  try {
    await once(child, "spawn");
  } catch (cause) {
    throw missing(program, cause);
  }
  return child;
}

function missing(program: string, cause: unknown): VarveError {
  return new VarveError("SSH_AGENT_MISSING", `${program} cannot be started, which --ssh with key files needs`, {
    hint: "install OpenSSH's client",
    cause,
  });
}

/** The agent tells its socket once it listens there; a stream that just ends means that it did not start. */
async function saysSomething(stream: Readable): Promise<boolean> {
  for await (const _ of stream.iterator({ destroyOnReturn: false })) return true;
  return false;
}

async function readAll(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text.trim();
}
