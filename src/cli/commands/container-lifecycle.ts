import { isVarveError, VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { readPruneFilters } from "../containers/prune-filters.ts";
import { containerFlags } from "../containers/container-flags.ts";
import { openCidFile } from "../containers/cid-file.ts";
import { readDetachKeys } from "../containers/detach-keys.ts";
import { driveStreams, terminalSize } from "../containers/drive-streams.ts";
import { forwardSignals } from "../containers/forward-signals.ts";
import { readContainerRequest } from "../containers/read-request.ts";
import { withVolumesFrom } from "../containers/volumes-from.ts";
import { reportDetached, requireTerminal, streamFlags } from "../containers/stream-flags.ts";
import { throwFailures } from "../failures.ts";
import { formatSize } from "../format/sizes.ts";
import type { Io } from "../io.ts";
import { optional } from "../store.ts";

export const create = defineCommand({
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  flags: containerFlags,
  args: { min: 1, max: Infinity },
  flagsEndAtArgument: true,
  async run({ flags, args, io, openStore }) {
    const asked = await readContainerRequest(flags, args, io);
    const { containers } = await openStore();
    const request = await withVolumesFrom(asked, { values: flags["volumes-from"], containers });
    const cidFile = await openCidFile(flags.cidfile, io);
    const onPull = ({ text }: { readonly text: string }): void => {
      if (flags.quiet !== true) io.stderr.print(`${text}\n`);
    };
    const { id, warnings } = await cidFile.fill(async () => await containers.create(request, { signal: io.signal, onPull }));
    for (const warning of warnings) io.stderr.print(`WARNING: ${warning}\n`);
    io.stdout.print(`${id}\n`);
  },
});

export const start = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  flags: {
    ...streamFlags,
    attach: { kind: "bool", short: "a", help: "Attach STDOUT/STDERR and forward signals" },
    interactive: { kind: "bool", short: "i", help: "Attach container's STDIN" },
    checkpoint: { kind: "string", help: "Restore from this checkpoint", only: [] },
  },
  args: { min: 1, max: Infinity },
  failureExitCode: 1,
  async run({ flags, args, io, dockerConfigDir, openStore }) {
    const attaches = flags.attach === true || flags.interactive === true;
    if (attaches && args.length > 1) throw new VarveError("USAGE", "you cannot start and attach multiple containers at once");
    const { containers } = await openStore();
    // One after the other, as Docker does: a later one may need an earlier one.
    if (!attaches) return await each(args, io, async (name) => await containers.start(name, { signal: io.signal }), { lanes: 1 });
    const [name = ""] = args;
    const detachKeys = await readDetachKeys(flags["detach-keys"], dockerConfigDir);
    const { id, config } = await containers.get(name);
    const stdin = flags.interactive === true && config.openStdin;
    if (stdin && config.tty) requireTerminal(io);
    const size = config.tty ? terminalSize(io) : undefined;
    const attach = { stdin, stdout: true, stderr: true, ...optional("size", size) };
    const attached = await containers.start(id, { attach, signal: io.signal });
    if (attached === undefined) throw new VarveError("INTERNAL", "a container was started without its streams");
    const onSignal = forwardSignals(containers, id);
    const drive = await driveStreams(attached, io, { tty: config.tty, detachKeys, onSignal });
    return drive.isDetached ? reportDetached(io) : drive.exitCode;
  },
});

const stopFlags = {
  signal: { kind: "string", short: "s", help: "Signal to send to the container" },
  timeout: { kind: "string", short: "t", help: "Seconds to wait before killing the container; -1 is for ever" },
  time: { kind: "string", hidden: true, help: "The old name of --timeout" },
} as const;

function readStop(flags: {
  readonly signal: string | undefined;
  readonly timeout: string | undefined;
  readonly time: string | undefined;
}): { readonly timeoutS?: number; readonly stopSignal?: string } {
  const text = flags.timeout ?? flags.time;
  if (text !== undefined && !/^-?\d+$/.test(text))
    throw new VarveError("USAGE", `invalid argument "${text}" for "-t, --timeout" flag: it is no whole number`);
  return { ...optional("timeoutS", text === undefined ? undefined : Number(text)), ...optional("stopSignal", flags.signal) };
}

const stopping = (how: "stop" | "restart") =>
  defineCommand({
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    flags: stopFlags,
    args: { min: 1, max: Infinity },
    failureExitCode: 1,
    async run({ flags, args, io, openStore }) {
      const options = { ...readStop(flags), signal: io.signal };
      const { containers } = await openStore();
      return await each(args, io, async (name) => await containers[how](name, options));
    },
  });

export const stop = stopping("stop");
export const restart = stopping("restart");

export const kill = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  flags: { signal: { kind: "string", short: "s", help: "Signal to send to the container" } },
  args: { min: 1, max: Infinity },
  failureExitCode: 1,
  async run({ flags, args, io, openStore }) {
    const { containers } = await openStore();
    return await each(args, io, async (name) => await containers.kill(name, optional("killSignal", flags.signal)));
  },
});

export const rm = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  flags: {
    force: { kind: "bool", short: "f", help: "Force the removal of a running container (uses SIGKILL)" },
    link: { kind: "bool", short: "l", help: "Remove the specified link", only: ["false"] },
    volumes: { kind: "bool", short: "v", help: "Remove anonymous volumes associated with the container" },
  },
  args: { min: 1, max: Infinity },
  failureExitCode: 1,
  async run({ flags, args, io, openStore }) {
    const { containers } = await openStore();
    const force = flags.force === true;
    return await each(args, io, async (name) => {
      try {
        await containers.remove(name, { force, volumes: flags.volumes === true });
      } catch (error) {
        // what is not there need not be forced away
        if (force && isVarveError(error) && error.code === "CONTAINER_NOT_FOUND") return "silent";
        throw error;
      }
      return undefined;
    });
  },
});

export const wait = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  flags: {},
  args: { min: 1, max: Infinity },
  failureExitCode: 1,
  async run({ args, io, openStore }) {
    const { containers } = await openStore();
    const failures: VarveError[] = [];
    for (const name of args) {
      try {
        io.stdout.print(`${await containers.wait(name, { signal: io.signal })}\n`);
      } catch (error) {
        if (!isVarveError(error)) throw error;
        failures.push(error);
      }
    }
    throwFailures(failures);
  },
});

export const rename = defineCommand({
  usage: "CONTAINER NEW_NAME",
  flags: {},
  args: { min: 2, max: 2 },
  failureExitCode: 1,
  async run({ args: [name = "", newName = ""], openStore }) {
    await (await openStore()).containers.rename(name, newName);
  },
});

export const pause = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  flags: {},
  args: { min: 1, max: Infinity },
  failureExitCode: 1,
  async run({ args, io, openStore }) {
    const { containers } = await openStore();
    return await each(args, io, async (name) => await containers.pause(name));
  },
});

export const unpause = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  flags: {},
  args: { min: 1, max: Infinity },
  failureExitCode: 1,
  async run({ args, io, openStore }) {
    const { containers } = await openStore();
    return await each(args, io, async (name) => await containers.unpause(name));
  },
});

export const containerPrune = defineCommand({
  usage: "[OPTIONS]",
  flags: {
    filter: { kind: "list", help: "Remove only what meets a condition: until, label" },
    force: { kind: "bool", short: "f", help: "Do not prompt for confirmation" },
  },
  args: { min: 0, max: 0 },
  async run({ flags, io, openStore }) {
    const filters = readPruneFilters(flags.filter, io.now());
    const asked = "WARNING! This will remove all stopped containers.\nAre you sure you want to continue?";
    if (flags.force !== true && !(await confirm(asked, io))) return;
    const { removed, freedBytes } = await (await openStore()).containers.prune({ filters });
    if (removed.length > 0) io.stdout.print(`Deleted Containers:\n${removed.map((id) => `${id}\n`).join("")}\n`);
    io.stdout.print(`Total reclaimed space: ${formatSize(freedBytes, 4)}\n`);
  },
});

/**
 * Does something with each container, so many at the same time, prints the names in the order in which they were given, and fails
 * with all that failed.
 */
async function each(
  names: readonly string[],
  io: Io,
  work: (name: string) => Promise<unknown>,
  { lanes = 10 }: { readonly lanes?: number } = {},
): Promise<void> {
  const { limiter } = await import("../../flow/index.ts");
  const lane = limiter(lanes);
  const runs = names.map(async (name) => await lane.run(async () => await work(name)));
  for (const run of runs) run.catch(() => undefined); // told in its turn, below
  const failures: VarveError[] = [];
  for (const [index, run] of runs.entries()) {
    try {
      if ((await run) !== "silent") io.stdout.print(`${names[index] ?? ""}\n`);
    } catch (error) {
      if (!isVarveError(error)) throw error;
      failures.push(error);
    }
  }
  throwFailures(failures);
}
