import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { timeoutOf } from "./flag-values.ts";
import { openContext } from "./open-context.ts";
import { readProjectOrName } from "./open-project.ts";

const services = { usage: "[OPTIONS] [SERVICE...]", args: { min: 0, max: Infinity }, failureExitCode: 1 } as const;
const timeout = { kind: "string", short: "t", help: "Specify a shutdown timeout in seconds" } as const;

export const composeStart = defineCommand({
  ...services,
  flags: {},
  async run(call) {
    const context = await openContext(call, await readProjectOrName(call));
    const { startStopped } = await import("../../compose/index.ts");
    await startStopped(context, call.args);
  },
});

export const composeStop = defineCommand({
  ...services,
  flags: { timeout },
  async run(call) {
    const context = await openContext(call, await readProjectOrName(call), { title: "Stopping" });
    const { stopServices } = await import("../../compose/index.ts");
    await stopServices(context, { services: call.args, ...timeoutOf(call.flags.timeout) });
  },
});

export const composeRestart = defineCommand({
  ...services,
  flags: { timeout, "no-deps": { kind: "bool", help: "Don't restart dependent services" } },
  async run(call) {
    const context = await openContext(call, await readProjectOrName(call), { title: "Restarting" });
    const { restartServices } = await import("../../compose/index.ts");
    await restartServices(context, {
      services: call.args,
      alone: call.flags["no-deps"] === true,
      ...timeoutOf(call.flags.timeout),
    });
  },
});

export const composeKill = defineCommand({
  ...services,
  flags: {
    "remove-orphans": { kind: "bool", help: "Kill containers for services not defined in the Compose file, too" },
    signal: { kind: "string", short: "s", help: "SIGNAL to send to the container (default SIGKILL)" },
  },
  async run(call) {
    const context = await openContext(call, await readProjectOrName(call), { title: "Killing" });
    const { killServices } = await import("../../compose/index.ts");
    const killed = await killServices(context, {
      services: call.args,
      orphans: call.flags["remove-orphans"] === true,
      ...(call.flags.signal === undefined ? {} : { signal: call.flags.signal }),
    });
    if (killed === 0) call.io.stderr.print("no container to kill\n");
  },
});

export const composePause = defineCommand({
  ...services,
  flags: {},
  async run(call) {
    const context = await openContext(call, await readProjectOrName(call), { title: "Pausing" });
    const { pauseServices } = await import("../../compose/index.ts");
    await pauseServices(context, call.args);
  },
});

export const composeUnpause = defineCommand({
  ...services,
  flags: {},
  async run(call) {
    const context = await openContext(call, await readProjectOrName(call));
    const { unpauseServices } = await import("../../compose/index.ts");
    await unpauseServices(context, call.args);
  },
});

export const composeRm = defineCommand({
  ...services,
  flags: {
    force: { kind: "bool", short: "f", help: "Don't ask to confirm removal" },
    stop: { kind: "bool", short: "s", help: "Stop the containers, if required, before removing" },
    volumes: { kind: "bool", short: "v", help: "Remove any anonymous volumes attached to containers" },
  },
  async run(call) {
    const { flags, io } = call;
    const context = await openContext(call, await readProjectOrName(call), { title: "Removing" });
    const { removeStopped } = await import("../../compose/index.ts");
    await removeStopped(context, {
      services: call.args,
      stop: flags.stop === true,
      volumes: flags.volumes === true,
      async confirm(names) {
        context.display.leave();
        io.stdout.print(`Going to remove ${names.join(", ")}\n`);
        return flags.force === true || (await confirm("Are you sure?", io));
      },
    });
  },
});

export const composeWait = defineCommand({
  usage: "SERVICE [SERVICE...] [OPTIONS]",
  flags: { "down-project": { kind: "bool", help: "Drops project when the first container stops" } },
  args: { min: 1, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { args, flags, io } = call;
    const context = await openContext(call, await readProjectOrName(call));
    const { down, isRunning, observeProject, ofServices } = await import("../../compose/index.ts");
    const containers = ofServices(await observeProject(context), args).filter(isRunning);
    if (containers.length === 0) throw new VarveError("SERVICE_NOT_FOUND", `no containers for project "${context.project.name}"`);
    const waits = containers.map(async ({ id, name }) => {
      const exitCode = await context.engine.containers.wait(id, { signal: io.signal });
      io.stdout.print(`container "${name}" exited with status code ${exitCode}\n`);
      return exitCode;
    });
    if (flags["down-project"] !== true) return Math.max(0, ...(await Promise.all(waits)));
    const exitCode = await Promise.race(waits);
    await down(context);
    return exitCode;
  },
});

export const composeScale = defineCommand({
  usage: "[SERVICE=REPLICAS...]",
  flags: { "no-deps": { kind: "bool", help: "Don't start linked services" } },
  args: { min: 1, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { readScale } = await import("./flag-values.ts");
    const { readProject } = await import("./open-project.ts");
    const scale = readScale(call.args);
    const names = Object.keys(scale);
    const context = await openContext(call, await readProject(call, names));
    const { up } = await import("../../compose/index.ts");
    await up(context, {
      services: names,
      scale,
      recreate: "never",
      recreateDependencies: "never",
      ...(call.flags["no-deps"] === true ? { alone: true } : {}),
    });
  },
});
