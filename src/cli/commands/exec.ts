import { defineCommand } from "../command.ts";
import { readDetachKeys } from "../containers/detach-keys.ts";
import { driveStreams, terminalSize } from "../containers/drive-streams.ts";
import { readEnv } from "../containers/env-values.ts";
import { reportDetached, requireTerminal, streamFlags } from "../containers/stream-flags.ts";
import { nonEmpty, optional } from "../store.ts";

export const exec = defineCommand({
  usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
  flags: {
    ...streamFlags,
    detach: { kind: "bool", short: "d", help: "Detached mode: run command in the background" },
    env: { kind: "list", short: "e", help: "Set environment variables; without a value: the environment's" },
    "env-file": { kind: "list", help: "Read in a file of environment variables" },
    interactive: { kind: "bool", short: "i", help: "Keep STDIN open even if not attached" },
    privileged: { kind: "bool", help: "Give extended privileges to the command" },
    tty: { kind: "bool", short: "t", help: "Allocate a pseudo-TTY" },
    user: { kind: "string", short: "u", help: "Username or UID (format: <name|uid>[:<group|gid>])" },
    workdir: { kind: "string", short: "w", help: "Working directory inside the container" },
  },
  args: { min: 2, max: Infinity },
  flagsEndAtArgument: true,
  failureExitCode: 1,
  async run({ flags, args: [name = "", ...command], io, dockerConfigDir, openStore }) {
    const detachKeys = await readDetachKeys(flags["detach-keys"], dockerConfigDir);
    const detached = flags.detach === true;
    const tty = flags.tty === true;
    const stdin = flags.interactive === true && !detached;
    if (stdin && tty) requireTerminal(io);
    const env = readEnv(flags, io);
    const { containers } = await openStore();
    const request = {
      command,
      tty,
      stdin,
      stdout: true,
      stderr: true,
      env,
      privileged: flags.privileged === true,
      detached,
      ...optional("size", tty ? terminalSize(io) : undefined),
      ...optional("user", nonEmpty(flags.user)),
      ...optional("workingDir", nonEmpty(flags.workdir)),
    };
    const attached = await containers.exec(name, request, { signal: io.signal });
    if (detached) return 0;
    const drive = await driveStreams(attached, io, { tty, detachKeys });
    return drive.isDetached ? reportDetached(io) : drive.exitCode;
  },
});
