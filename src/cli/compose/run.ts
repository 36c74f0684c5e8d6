import { resolve } from "node:path";
import type { OneOffRequest } from "../../compose/index.ts";
import type { Containers } from "../../containers/index.ts";
import { VarveError, isVarveError } from "../../errors/index.ts";
import { defineCommand, type Call } from "../command.ts";
import { readDetachKeys } from "../containers/detach-keys.ts";
import { driveStreams, terminalSize } from "../containers/drive-streams.ts";
import { forwardSignals } from "../containers/forward-signals.ts";
import { cut } from "../flags.ts";
import { nonEmpty, optional } from "../store.ts";
import { openContext, refuseDryRun } from "./open-context.ts";
import { fileAccess, readProject } from "./open-project.ts";
import { printWarning } from "./print-warning.ts";
import { readRunPort, readRunVolume } from "./run-values.ts";

const flags = {
  build: { kind: "bool", help: "Build image before starting container" },
  "cap-add": { kind: "list", help: "Add Linux capabilities" },
  "cap-drop": { kind: "list", help: "Drop Linux capabilities" },
  detach: { kind: "bool", short: "d", help: "Run container in background and print container ID" },
  entrypoint: { kind: "string", help: "Override the entrypoint of the image" },
  env: { kind: "list", short: "e", help: "Set environment variables" },
  "env-from-file": { kind: "list", help: "Set environment variables from file" },
  interactive: { kind: "bool", short: "i", help: "Keep STDIN open even if not attached (default true)" },
  label: { kind: "list", short: "l", help: "Add or override a label" },
  name: { kind: "string", help: "Assign a name to the container" },
  "no-TTY": { kind: "bool", short: "T", help: "Disable pseudo-TTY allocation (default: auto-detected)" },
  "no-deps": { kind: "bool", help: "Don't start linked services" },
  publish: { kind: "list", short: "p", help: "Publish a container's port(s) to the host" },
  pull: { kind: "string", help: 'Pull image before running ("always"|"missing"|"never")' },
  quiet: { kind: "bool", short: "q", help: "Don't print anything to STDOUT" },
  "quiet-build": { kind: "bool", help: "Suppress progress output from the build process" },
  "quiet-pull": { kind: "bool", help: "Pull without printing progress information" },
  "remove-orphans": { kind: "bool", help: "Remove containers for services not defined in the Compose file" },
  rm: { kind: "bool", help: "Automatically remove the container when it exits" },
  "service-ports": {
    kind: "bool",
    short: "P",
    help: "Run command with all service's ports enabled and mapped to the host",
  },
  tty: { kind: "bool", short: "t", help: "Allocate a pseudo-TTY (default: where stdin is one)", hidden: true },
  "use-aliases": { kind: "bool", help: "Use the service's network useAliases in the network(s) the container connects to" },
  user: { kind: "string", short: "u", help: "Run as specified username or uid" },
  volume: { kind: "list", short: "v", help: "Bind mount a volume" },
  workdir: { kind: "string", short: "w", help: "Working directory inside the container" },
} as const;

export const composeRun = defineCommand({
  usage: "[OPTIONS] SERVICE [COMMAND] [ARGS...]",
  flags,
  args: { min: 1, max: Infinity },
  flagsEndAtArgument: true,
  failureExitCode: 1,
  async run(call) {
    const { io, dockerConfigDir } = call;
    const isDetached = call.flags.detach === true;
    if (!isDetached) refuseDryRun(call, "run");
    const request = await readRequest(call);
    const project = await readProject(call, [request.service]);
    const { makeOneOff } = await import("../../compose/index.ts");
    const context = await openContext(call, project, {
      quietBuild: call.flags["quiet-build"] === true,
      quietPull: call.flags["quiet-pull"] === true,
    });
    const quiet = call.flags.quiet === true ? { ...context, report: () => undefined } : context;
    const id = await makeOneOff(quiet, request);
    context.display.end();
    const { containers } = context.engine;
    if (isDetached) {
      await containers.start(id, { signal: io.signal });
      io.stdout.print(`${(await containers.get(id)).name}\n`);
      return 0;
    }
    const { tty, stdin } = request;
    const size = tty ? terminalSize(io) : undefined;
    const attached = await containers.start(id, {
      attach: { stdin, stdout: true, stderr: true, ...optional("size", size) },
      signal: io.signal,
    });
    if (attached === undefined) throw new VarveError("INTERNAL", "a container was started without its streams");
    const drive = await driveStreams(attached, io, {
      tty,
      detachKeys: await readDetachKeys(undefined, dockerConfigDir),
      onSignal: forwardSignals(containers, id),
    });
    if (drive.isDetached) return 0;
    if (request.autoRemove === true) await awaitRemoval(containers, id);
    return drive.exitCode;
  },
});

/** It may be gone before it is asked about. */
async function awaitRemoval(containers: Containers, id: string): Promise<void> {
  try {
    await containers.wait(id, { until: "removed" });
  } catch (error) {
    if (!isVarveError(error) || error.code !== "CONTAINER_NOT_FOUND") throw error;
  }
}

/** `--env`, and what `--env-from-file` adds. */
async function readEnvironment(
  given: Pick<Call<typeof flags>["flags"], "env" | "env-from-file">,
  call: Pick<Call, "io" | "composeFlags">,
): Promise<Readonly<Record<string, string | null>>> {
  const { io } = call;
  const environment: Record<string, string | null> = {};
  for (const entry of given.env) {
    const [name, value] = cut(entry, "=");
    environment[name] = value ?? io.env[name] ?? null;
  }
  if (given["env-from-file"].length === 0) return environment;
  const { readEnvFile } = await import("../../compose-file/index.ts");
  for (const file of given["env-from-file"]) {
    const known = Object.fromEntries(
      Object.entries(environment).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
    );
    const values = await readEnvFile(resolve(io.cwd, file), fileAccess(io), known, (warning) => printWarning(call, warning));
    for (const [name, value] of Object.entries(values)) environment[name] ??= value;
  }
  return environment;
}

async function readRequest(call: Call<typeof flags>): Promise<OneOffRequest> {
  const { flags: given, args, io } = call;
  const [service = "", ...command] = args;
  const { pull } = given;
  const isDetached = given.detach === true;
  const tty = !isDetached && given["no-TTY"] !== true && given.tty !== false && io.stdin.isTerminal && io.stdout.isTerminal;
  const { splitWords } = await import("./run-values.ts");
  return {
    service,
    command,
    tty,
    stdin: !isDetached && given.interactive !== false,
    environment: await readEnvironment(given, call),
    labels: Object.fromEntries(
      given.label.map((entry) => {
        const [key, value] = cut(entry, "=");
        return [key, value ?? ""];
      }),
    ),
    volumes: given.volume.map((text) => readRunVolume(text, io)),
    ports: given.publish.map(readRunPort),
    capAdd: given["cap-add"],
    capDrop: given["cap-drop"],
    servicePorts: given["service-ports"] === true,
    useAliases: given["use-aliases"] === true,
    alone: given["no-deps"] === true,
    autoRemove: given.rm === true,
    removeOrphans: given["remove-orphans"] === true,
    ...(given.build === true ? { build: "always" as const } : {}),
    ...optional("pull", nonEmpty(pull)),
    ...optional("name", nonEmpty(given.name)),
    ...optional("entrypoint", given.entrypoint === undefined ? undefined : splitWords(given.entrypoint)),
    ...optional("user", nonEmpty(given.user)),
    ...optional("workingDir", nonEmpty(given.workdir)),
  };
}
