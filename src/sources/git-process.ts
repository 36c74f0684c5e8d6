import { VarveError } from "../errors/index.ts";
import { throwIfAborted, withDeadline } from "../flow/index.ts";

/** How git reaches a remote. Plain data: it crosses to the worker. */
export interface GitAccess {
  /** Folders to look for programs in: the PATH. */
  readonly path: string;
  /** `HTTPS_PROXY` and its like. */
  readonly proxyEnv: Readonly<Record<string, string>>;
  /** A header for the URLs that begin with `scope`. */
  readonly authorization?: { readonly scope: string; readonly value: string };
  readonly ssh?: { readonly agentSocket?: string; readonly knownHostsFile: string; readonly isStrict: boolean };
  /** Texts that must not show in messages. */
  readonly hidden: readonly string[];
}

export interface GitCall {
  readonly access: GitAccess;
  readonly signal: AbortSignal;
  readonly gitDir?: string;
  readonly workTree?: string;
  /** May read repositories of this machine (the store's own); otherwise only of the network. */
  readonly isLocal?: boolean;
  readonly config?: readonly (readonly [key: string, value: string])[];
  /** The longest silence, where one is a failure. */
  readonly maxSilenceMs?: number;
}

/** More output than this is no answer of git's (bytes). */
const maxOutputBytes = 8 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;
const killAfterMs = 5_000;
/** `sh` finds no command. */
const notFoundStatus = 127;

/**
 * Runs git with nothing of the user's: no config, no home, no prompt, no hooks, network protocols only, secrets in the
 * environment and not in the arguments. Returns its output. A failure is GIT_FAILED with what git said, or GIT_MISSING.
 */
export async function runGit(args: readonly string[], call: GitCall): Promise<string> {
  const { access, signal, gitDir, workTree, maxSilenceMs = 0 } = call;
  throwIfAborted(signal);
  const place = [
    ...(gitDir === undefined ? [] : [`--git-dir=${gitDir}`]),
    ...(workTree === undefined ? [] : [`--work-tree=${workTree}`]),
  ];
  // Modes of what is checked out come from the umask; the parent's death must be git's
  const chain = ["-c", 'umask 022 && exec "$@"', "sh", "setpriv", "--pdeathsig", "KILL", "git", ...place, ...args];
  const deadline = maxSilenceMs > 0 ? withDeadline(signal, maxSilenceMs, { what: "waiting for the Git server" }) : undefined;
  const stop = deadline?.signal ?? signal;
  const { spawn } = await import("node:child_process");
  const child = spawn("/bin/sh", chain, {
    cwd: workTree ?? gitDir ?? "/",
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: environment(call),
  });
  const output = collect(child.stdout, maxOutputBytes, () => deadline?.restart());
  const errors = collect(child.stderr, maxErrorBytes, () => deadline?.restart());
  let killing: NodeJS.Timeout | undefined;
  const kill = (name: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, name);
  };
  const onAbort = () => {
    kill("SIGTERM");
    killing = setTimeout(() => kill("SIGKILL"), killAfterMs);
  };
  if (stop.aborted) onAbort();
  else stop.addEventListener("abort", onAbort, { once: true });
  try {
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.once("error", reject);
    child.once("close", resolve);
    const status = await promise;
    throwIfAborted(stop);
    if (status === 0) return output().toString();
    throw failure(args, status, errors().toString(), access);
  } finally {
    clearTimeout(killing);
    deadline?.end();
    stop.removeEventListener("abort", onAbort);
  }
}

function environment({ access, isLocal = false, config = [] }: GitCall): Record<string, string> {
  const { path, proxyEnv, authorization, ssh } = access;
  const settings: (readonly [string, string])[] = [
    ["core.hooksPath", "/dev/null"],
    ["core.fsmonitor", "false"],
    ["core.askPass", ""],
    ["credential.helper", ""],
    ["protocol.file.allow", "never"],
    ["protocol.ext.allow", "never"],
    ["gc.auto", "0"],
    ["maintenance.auto", "false"],
    ["fetch.recurseSubmodules", "false"],
    ["submodule.recurse", "false"],
    ["advice.detachedHead", "false"],
    ["init.defaultBranch", "master"],
    ["http.lowSpeedLimit", "1"],
    ["http.lowSpeedTime", "60"],
    ...(authorization === undefined
      ? []
      : [[`http.${authorization.scope}.extraheader`, `Authorization: ${authorization.value}`] as const]),
    ...config,
  ];
  const configEnv = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    ...proxyEnv,
    PATH: path,
    LC_ALL: "C",
    HOME: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_PROTOCOL_FROM_USER: "0",
    GIT_ALLOW_PROTOCOL: isLocal ? "file" : "http:https:git:ssh",
    GIT_SSH_VARIANT: "ssh",
    GIT_SSH_COMMAND: sshCommand(ssh),
    ...(ssh?.agentSocket === undefined ? {} : { SSH_AUTH_SOCK: ssh.agentSocket }),
    GIT_CONFIG_COUNT: String(settings.length),
    ...(Object.fromEntries(configEnv) as Record<string, string>),
  };
}

/** git hands this to a shell; ssh reads the file's name as a list of words with `%` tokens. */
function sshCommand(ssh: GitAccess["ssh"]): string {
  if (ssh === undefined) return "ssh -F /dev/null -o BatchMode=yes";
  const file = `UserKnownHostsFile="${ssh.knownHostsFile.replaceAll("%", "%%")}"`;
  const quoted = `'${file.replaceAll("'", `'\\''`)}'`;
  return `ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=${ssh.isStrict ? "yes" : "accept-new"} -o ${quoted}`;
}

/** Keeps the last bytes of a stream. */
function collect(stream: NodeJS.ReadableStream, maxBytes: number, onData: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on("data", (chunk: Buffer) => {
    onData();
    chunks.push(chunk);
    length += chunk.length;
    while (chunks.length > 1 && length - (chunks[0]?.length ?? 0) > maxBytes) length -= chunks.shift()?.length ?? 0;
  });
  return () => Buffer.concat(chunks);
}

function failure(args: readonly string[], status: number | null, errors: string, { hidden }: GitAccess): VarveError {
  if (status === notFoundStatus && /not found|No such file/.test(errors)) {
    return new VarveError("GIT_MISSING", "git is needed for Git repositories, and is not on this machine", {
      hint: "install git, or give the files as a folder or an archive",
    });
  }
  let said = errors;
  for (const text of hidden) if (text !== "") said = said.replaceAll(text, "xxxxx");
  const lines = said
    .split(/[\r\n]+/)
    .filter((line) => /^(?:fatal|error|remote|ssh|git|[^:]*Permission denied|Host key)/i.test(line.trim()));
  const reason = (
    lines.length > 0
      ? lines
      : said
          .trim()
          .split(/[\r\n]+/)
          .slice(-3)
  )
    .map((line) => line.trim())
    .join("; ");
  const denied = /Authentication failed|could not read Username|Permission denied|terminal prompts disabled/.test(said);
  return new VarveError(
    "GIT_FAILED",
    `git ${args.find((arg) => !arg.startsWith("-")) ?? ""} failed: ${reason.slice(0, 2_000) || `status ${status}`}`,
    {
      details: { status, said: said.slice(0, 4_000) },
      ...(denied ? { hint: "give credentials with --secret id=GIT_AUTH_TOKEN, or an agent with --ssh default" } : {}),
    },
  );
}
