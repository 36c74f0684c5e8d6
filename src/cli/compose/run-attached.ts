import type { Project, Service } from "../../compose-file/index.ts";
import type { ConvergeOptions, LogFollower, Observed, ProjectContext } from "../../compose/index.ts";
import { VarveError } from "../../errors/index.ts";
import type { Call } from "../command.ts";
import { createOutcome } from "./attach-outcome.ts";
import { isTrue } from "./flag-values.ts";
import { openMenu, type Menu, type MenuEntry } from "./menu.ts";
import { openContext, type ShownContext } from "./open-context.ts";
import { createLogPrinter } from "./print-logs.ts";
import { hasLogColors, hasStepColors, readStepMode } from "./progress-mode.ts";
import { warningText } from "./print-warning.ts";
import type { upFlags } from "./up-flags.ts";

type UpCall = Call<typeof upFlags>;

/**
 * `up` in the foreground: the services' logs, until all have ended. The first SIGINT or SIGTERM stops them in order, the second
 * kills them. Returns the exit code.
 */
export async function runAttached(call: UpCall, project: Project, options: ConvergeOptions): Promise<number> {
  const { flags, io } = call;
  const compose = await import("../../compose/index.ts");
  // ends of following the logs that are no failure of the project
  const stopped = new VarveError("CANCELED", "canceled by a signal");
  const detached = new VarveError("CANCELED", "canceled by the menu");
  const interrupt = new AbortController();
  const context = await openContext(call, project, {
    quietBuild: flags["quiet-build"] === true,
    quietPull: flags["quiet-pull"] === true,
  });
  // until there is something to stop, a signal ends the command as any other
  const services = await compose.converge(context, options);
  context.display.end();
  let isKilling = false;
  const release = io.takeSignals?.(() => {
    if (!interrupt.signal.aborted) return interrupt.abort(stopped);
    if (isKilling) return;
    isKilling = true;
    void killServices(context, options);
  }, ["SIGINT", "SIGTERM"]);
  let menu: Menu | undefined;
  const print = (text: string): void => (menu === undefined ? io.stdout.print(text) : menu.print(text));
  const follower = new AbortController();
  try {
    const followed = attachedServices(call, project, services);
    const containers = compose.ofServices(await compose.observeProject(context), followed.length === 0 ? [""] : followed);
    const names = containers.map(compose.shortName);
    const printer = createLogPrinter({
      // with a menu both are the same terminal
      print: (stream, text) => (stream === 1 || menu !== undefined ? print(text) : io.stderr.print(text)),
      names,
      prefix: flags["no-log-prefix"] !== true,
      colors: flags["no-color"] !== true && hasLogColors(call),
      timestamps: flags.timestamps === true,
    });
    const outcome = createOutcome(flags);
    const logs = compose.followLogs(context.engine, {
      follow: true,
      signal: follower.signal,
      onLine: printer.line,
      onExit(container, exitCode, more) {
        printer.exit(container, exitCode, more);
        if (more?.isRestarting !== true) outcome.exited(container, exitCode);
      },
    });
    io.stdout.print(`Attaching to ${names.join(", ")}\n`);
    if (hasMenu(call))
      menu = await openMenu(io, { entries: [detachEntry(() => interrupt.abort(detached))], colors: hasStepColors(call) });
    const signal = AbortSignal.any([io.signal, interrupt.signal]);
    const running: ProjectContext = {
      ...context,
      report: () => undefined,
      warn: (message) => print(warningText(call, message)),
      signal,
    };
    try {
      await Promise.race([
        followAll(running, { services, containers, logs, startMs: io.now() }),
        outcome.aborted,
        aborted(signal),
      ]);
      if (!outcome.isAborted()) return outcome.exitCode();
      menu?.close();
      const text = "Aborting on container exit...";
      io.stderr.print(`${hasStepColors(call) ? `\u001b[1;31m${text}\u001b[0m` : text}\n`);
    } catch (error) {
      menu?.close();
      if (interrupt.signal.reason === detached) return 0;
      if (interrupt.signal.reason !== stopped) throw error;
      io.stdout.print("Gracefully Stopping... press Ctrl+C again to force\n");
    }
    await stopServices(call, context, options);
    // what containers that end say last is theirs to say; those that others need were not stopped
    if (followed.every((name) => isStopped(name, options))) await Promise.race([logs.done(), aborted(io.signal)]);
    return interrupt.signal.aborted ? 130 : outcome.exitCode();
  } finally {
    menu?.close();
    follower.abort();
    release?.();
  }
}

/** Starts the services, and follows each container from when it runs until all have ended. */
async function followAll(
  context: ProjectContext,
  parts: {
    readonly services: readonly Service[];
    readonly containers: readonly Observed[];
    readonly logs: LogFollower;
    readonly startMs: number;
  },
): Promise<void> {
  const { startServices } = await import("../../compose/index.ts");
  const ids = new Set(parts.containers.map(({ id }) => id));
  await startServices(context, parts.services, {
    onRunning: (container) => {
      // what it wrote in earlier runs was read then
      if (ids.has(container.id)) parts.logs.add(container, { sinceMs: parts.startMs });
    },
  });
  await parts.logs.done();
}

/** Stops the services that were named, or all; what is done is told among the logs. */
async function stopServices(call: UpCall, context: ShownContext, options: ConvergeOptions): Promise<void> {
  const { stopServices: stop } = await import("../../compose/index.ts");
  const { print } = call.io.stdout;
  const green = (text: string): string => (hasStepColors(call) ? `\u001b[32m${text}\u001b[0m` : text);
  const report: ProjectContext["report"] =
    readStepMode(call) === "tty"
      ? ({ subject, text = "", status }) => print(` ${subject} ${text} ${green(status)}\n`)
      : context.display.report;
  await stop(withoutSignal({ ...context, report }), {
    services: options.services ?? [],
    ...(options.timeoutS === undefined ? {} : { timeoutS: options.timeoutS }),
  });
}

async function killServices(context: ProjectContext, options: ConvergeOptions): Promise<void> {
  const { killServices: kill } = await import("../../compose/index.ts");
  await kill(withoutSignal({ ...context, report: () => undefined }), { services: options.services ?? [] });
}

/** The signal that ended the logs is not to end what is done about it. */
function withoutSignal({ signal: _signal, ...context }: ProjectContext): ProjectContext {
  return context;
}

function isStopped(service: string, { services = [] }: ConvergeOptions): boolean {
  return services.length === 0 || services.includes(service);
}

/** Whose logs are shown: those named, unless other flags or the files say otherwise. */
function attachedServices({ flags, args }: UpCall, project: Project, services: readonly Service[]): readonly string[] {
  const named = args.length === 0 || flags["attach-dependencies"] === true ? services.map(({ name }) => name) : args;
  const wanted = flags.attach.length > 0 ? flags.attach : named.filter((name) => project.services[name]?.attach !== false);
  return wanted.filter((name) => !flags["no-attach"].includes(name));
}

/** `--menu` or COMPOSE_MENU; on a terminal there is one by default. */
function hasMenu(call: UpCall): boolean {
  const { flags, io } = call;
  const wish = io.env["COMPOSE_MENU"] ?? "";
  const isWanted = flags.menu ?? (wish === "" || isTrue(wish));
  return isWanted && io.stdin.isTerminal && io.stdout.isTerminal && readStepMode(call) === "tty";
}

function detachEntry(act: () => void): MenuEntry {
  return { key: "d", text: () => "Detach", act };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
