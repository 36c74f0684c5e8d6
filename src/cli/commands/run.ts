import type { Attached, AttachOptions, Containers } from "../../containers/index.ts";
import { isVarveError, VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { openCidFile } from "../containers/cid-file.ts";
import { containerFlags } from "../containers/container-flags.ts";
import { readDetachKeys } from "../containers/detach-keys.ts";
import { driveStreams, terminalSize } from "../containers/drive-streams.ts";
import { forwardSignals } from "../containers/forward-signals.ts";
import { readContainerRequest } from "../containers/read-request.ts";
import { withVolumesFrom } from "../containers/volumes-from.ts";
import { readAttached, requireTerminal, streamFlags } from "../containers/stream-flags.ts";
import { optional } from "../store.ts";

export const run = defineCommand({
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  flags: {
    ...containerFlags,
    ...streamFlags,
    detach: { kind: "bool", short: "d", help: "Run container in background and print container ID" },
    "sig-proxy": { kind: "bool", help: "Proxy received signals to the process (default true)" },
  },
  args: { min: 1, max: Infinity },
  flagsEndAtArgument: true,
  failureExitCode: 125,
  async run({ flags, args, io, dockerConfigDir, openStore }) {
    const detachKeys = await readDetachKeys(flags["detach-keys"], dockerConfigDir);
    const isDetached = flags.detach === true;
    if (isDetached && flags.attach.length > 0) {
      throw new VarveError("USAGE", "conflicting options: cannot specify both --attach and --detach", {
        details: { exitCode: 1 },
      });
    }
    const wanted = readAttached(flags.attach, flags.interactive === true);
    const tty = flags.tty === true;
    if (!isDetached && wanted.stdin && tty) requireTerminal(io);
    const asked = await readContainerRequest(flags, args, io);
    const { containers } = await openStore();
    const mounted = await withVolumesFrom(asked, { values: flags["volumes-from"], containers });
    const request = { ...mounted, stdinOnce: !isDetached && wanted.stdin };
    const isRemoved = request.host?.autoRemove === true;

    const cidFile = await openCidFile(flags.cidfile, io);
    const { id, warnings } = await cidFile.fill(
      async () =>
        await containers.create(request, {
          signal: io.signal,
          onPull: ({ text }) => {
            if (flags.quiet !== true) io.stderr.print(`${text}\n`);
          },
        }),
    );
    for (const warning of warnings) io.stderr.print(`WARNING: ${warning}\n`);
    if (isDetached) {
      await startOrRemove(containers, id, { isRemoved, signal: io.signal });
      io.stdout.print(`${id}\n`);
      return 0;
    }
    // Without an output to see, the ID tells which container it is.
    if (!wanted.stdout && !wanted.stderr) io.stdout.print(`${id}\n`);
    const size = tty ? terminalSize(io) : undefined;
    const attached = await startOrRemove(containers, id, {
      isRemoved,
      attach: { ...wanted, ...optional("size", size) },
      signal: io.signal,
    });
    if (attached === undefined) throw new VarveError("INTERNAL", "a container was started without its streams");
    const onSignal = flags["sig-proxy"] === false ? undefined : forwardSignals(containers, id);
    const drive = await driveStreams(attached, io, { tty, detachKeys, onSignal });
    if (drive.isDetached) return 0;
    if (isRemoved) await untilRemoved(containers, id);
    return drive.exitCode;
  },
});

/** Nobody will look at a container of `--rm` that could not be started. */
async function startOrRemove(
  containers: Containers,
  id: string,
  { isRemoved, ...options }: { readonly isRemoved: boolean; readonly attach?: AttachOptions; readonly signal: AbortSignal },
): Promise<Attached | undefined> {
  try {
    return await containers.start(id, options);
  } catch (error) {
    if (isRemoved) await containers.remove(id, { force: true, volumes: true });
    throw error;
  }
}

/** The next command finds nothing of it. */
async function untilRemoved(containers: Containers, id: string): Promise<void> {
  try {
    await containers.wait(id, { until: "removed" });
  } catch (error) {
    if (!isVarveError(error) || error.code !== "CONTAINER_NOT_FOUND") throw error;
  }
}
