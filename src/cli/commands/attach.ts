import { VarveError } from "../../errors/index.ts";
import type { ContainerStatus } from "../../containers/index.ts";
import { defineCommand } from "../command.ts";
import { readDetachKeys } from "../containers/detach-keys.ts";
import { driveStreams, terminalSize } from "../containers/drive-streams.ts";
import { forwardSignals } from "../containers/forward-signals.ts";
import { reportDetached, requireTerminal, streamFlags } from "../containers/stream-flags.ts";
import { optional } from "../store.ts";

export const attach = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  flags: {
    ...streamFlags,
    "no-stdin": { kind: "bool", help: "Do not attach STDIN" },
    "sig-proxy": { kind: "bool", help: "Proxy all received signals to the process (default true)" },
  },
  args: { min: 1, max: 1 },
  failureExitCode: 1,
  async run({ flags, args: [name = ""], io, dockerConfigDir, openStore }) {
    const detachKeys = await readDetachKeys(flags["detach-keys"], dockerConfigDir);
    const { containers } = await openStore();
    const { id, state, config } = await containers.get(name);
    const reason = refusals[state.status];
    if (reason !== undefined) throw new VarveError("CONTAINER_CONFLICT", reason);
    const stdin = flags["no-stdin"] !== true && config.openStdin;
    if (stdin && config.tty) requireTerminal(io);
    const size = config.tty ? terminalSize(io) : undefined;
    const attached = await containers.attach(id, { stdin, stdout: true, stderr: true, ...optional("size", size) });
    if (size !== undefined) {
      // A size that changes makes programs draw anew.
      await attached.resize({ rows: size.rows + 1, columns: size.columns + 1 });
      await attached.resize(size);
    }
    const onSignal = flags["sig-proxy"] === false ? undefined : forwardSignals(containers, id);
    const drive = await driveStreams(attached, io, { tty: config.tty, detachKeys, onSignal });
    return drive.isDetached ? reportDetached(io) : drive.exitCode;
  },
});

const stopped = "You cannot attach to a stopped container, start it first";
const refusals: Readonly<Partial<Record<ContainerStatus, string>>> = {
  created: stopped,
  exited: stopped,
  dead: stopped,
  removing: stopped,
  paused: "You cannot attach to a paused container, unpause it first",
  restarting: "You cannot attach to a restarting container, wait until it is running",
};
