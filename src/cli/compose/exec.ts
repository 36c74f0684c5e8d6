import { defineCommand } from "../command.ts";
import { readDetachKeys } from "../containers/detach-keys.ts";
import { driveStreams, terminalSize } from "../containers/drive-streams.ts";
import { reportDetached } from "../containers/stream-flags.ts";
import { nonEmpty, optional } from "../store.ts";
import { readNumber } from "./flag-values.ts";
import { openContext, refuseDryRun } from "./open-context.ts";
import { readProjectOrName } from "./open-project.ts";

export const composeExec = defineCommand({
  usage: "[OPTIONS] SERVICE COMMAND [ARGS...]",
  flags: {
    detach: { kind: "bool", short: "d", help: "Detached mode: Run command in the background" },
    env: { kind: "list", short: "e", help: "Set environment variables" },
    index: { kind: "string", help: "Index of the container if service has multiple replicas" },
    interactive: { kind: "bool", short: "i", help: "Keep STDIN open even if not attached (default true)", hidden: true },
    "no-tty": {
      kind: "bool",
      short: "T",
      help: "Disable pseudo-TTY allocation. By default docker compose exec allocates a TTY.",
    },
    privileged: { kind: "bool", help: "Give extended privileges to the process" },
    tty: { kind: "bool", short: "t", help: "Allocate a pseudo-TTY (default: where stdin is one)", hidden: true },
    user: { kind: "string", short: "u", help: "Run the command as this user" },
    workdir: { kind: "string", short: "w", help: "Path to workdir directory for this command" },
  },
  args: { min: 2, max: Infinity },
  flagsEndAtArgument: true,
  failureExitCode: 1,
  async run(call) {
    const { flags, args, io, dockerConfigDir } = call;
    const [service = "", ...command] = args;
    const detached = flags.detach === true;
    const tty = !detached && flags["no-tty"] !== true && flags.tty !== false && io.stdin.isTerminal && io.stdout.isTerminal;
    const index = readNumber(flags.index, "--index");
    const context = await openContext(call, await readProjectOrName(call));
    const { findContainer } = await import("../../compose/index.ts");
    const { id } = await findContainer(context, service, { running: true, ...optional("index", index) });
    if (!detached) refuseDryRun(call, "exec");
    const attached = await context.engine.containers.exec(
      id,
      {
        command,
        tty,
        stdin: !detached && flags.interactive !== false,
        stdout: true,
        stderr: true,
        env: flags.env.map((entry) => (entry.includes("=") ? entry : `${entry}=${io.env[entry] ?? ""}`)),
        privileged: flags.privileged === true,
        detached,
        ...optional("size", tty ? terminalSize(io) : undefined),
        ...optional("user", nonEmpty(flags.user)),
        ...optional("workingDir", nonEmpty(flags.workdir)),
      },
      { signal: io.signal },
    );
    if (detached) return 0;
    const drive = await driveStreams(attached, io, { tty, detachKeys: await readDetachKeys(undefined, dockerConfigDir) });
    return drive.isDetached ? reportDetached(io) : drive.exitCode;
  },
});
