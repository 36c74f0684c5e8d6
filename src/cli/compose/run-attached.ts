import type { Project, Service } from "../../compose-file/index.ts";
import type { ConvergeOptions, LogFollower, Observed, ProjectContext } from "../../compose/index.ts";
import { isVarveError, VarveError } from "../../errors/index.ts";
import type { Call } from "../command.ts";
import { createOutcome } from "./attach-outcome.ts";
import { createAttachedWatch, type AttachedWatch } from "./attached-watch.ts";
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
  let menu: Menu | undefined;
  const print = (text: string): void => (menu === undefined ? io.stdout.print(text) : menu.print(text));
  // with a menu both are the same terminal
  const printOn = (stream: 1 | 2, text: string): void =>
    stream === 1 || menu !== undefined ? print(text) : io.stderr.print(text);
  const started = Promise.withResolvers<undefined>();
  const failed = new AbortController();
  let followNew = (_services: readonly string[]): Promise<void> => Promise.resolve();
  let names: readonly string[] = [];
  await using watch = createAttachedWatch({
    call,
    context: { ...context, warn: (message) => print(warningText(call, message)) },
    services: call.args,
    isQuiet: flags["quiet-build"] === true,
    print: printOn,
    names: () => names,
    colors: flags["no-color"] !== true && hasLogColors(call),
    onContainers: (changed) => followNew(changed),
    onFailure: (error) => failed.abort(error),
  });
  if (flags.watch === true) await watch.start({ ready: started.promise });
  // until there is something to stop, a signal ends the command as any other
  const services = await compose.converge(context, options);
  context.display.end();
  let isKilling = false;
  const release = io.takeSignals?.(() => {
    if (!interrupt.signal.aborted) return interrupt.abort(stopped);
    if (isKilling) return;
    isKilling = true;
    killServices(context, options)
      .catch((error: unknown) => failed.abort(error))
      .finally(() => (isKilling = false));
  }, ["SIGINT", "SIGTERM"]);
  const follower = new AbortController();
  try {
    const followed = attachedServices(call, project, services);
    const containers = compose.ofServices(await compose.observeProject(context), followed.length === 0 ? [""] : followed);
    names = containers.map(compose.shortName);
    const printer = createLogPrinter({
      print: printOn,
      names: flags.watch === true ? [...names, "#watch"] : names,
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
        // what ends while a change is carried out is there again at once
        if (more?.isRestarting !== true && !watch.isBusy()) outcome.exited(container, exitCode);
      },
    });
    io.stdout.print(`Attaching to ${names.join(", ")}\n`);
    followNew = async (changed) => {
      const now = await compose.observeProject(context);
      const own = changed.filter((name) => followed.includes(name));
      for (const container of own.length === 0 ? [] : compose.ofServices(now, own)) {
        const { finishedMs } = container.container.state;
        logs.add(container, finishedMs === undefined ? {} : { sinceMs: finishedMs });
      }
    };
    if (hasMenu(call)) {
      // what is being started is not left half done
      const detach = (): void => void started.promise.then(() => interrupt.abort(detached));
      const entries = [watchEntry(watch, () => menu?.refresh()), detachEntry(detach)];
      menu = await openMenu(io, { entries, colors: hasStepColors(call) });
    }
    const over = new AbortController();
    const signal = AbortSignal.any([io.signal, interrupt.signal, failed.signal, over.signal]);
    const running: ProjectContext = {
      ...context,
      report: () => undefined,
      warn: (message) => print(warningText(call, message)),
      signal,
    };
    const starting = startAll(running, { services, containers, logs, startMs: io.now() });
    starting.then(
      () => started.resolve(undefined),
      () => undefined,
    );
    try {
      await Promise.race([followAll({ starting, logs, watch }), outcome.aborted, aborted(signal)]);
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
    over.abort(stopped);
    await Promise.allSettled([starting, watch.stop()]);
    await stopServices(call, context, options);
    // what containers that end say last is theirs to say; those that others need were not stopped
    if (followed.every((name) => isStopped(name, options)))
      await Promise.race([logs.done(), aborted(AbortSignal.any([io.signal, failed.signal]))]);
    return interrupt.signal.aborted ? 130 : outcome.exitCode();
  } finally {
    menu?.close();
    follower.abort();
    release?.();
  }
}

/** Starts the services, and follows each of these containers from when it runs. */
async function startAll(
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
}

/** Resolves when all has been started and has ended. */
async function followAll(parts: {
  readonly starting: Promise<void>;
  readonly logs: LogFollower;
  readonly watch: AttachedWatch;
}): Promise<void> {
  await parts.starting;
  do await parts.logs.done();
  while (await parts.watch.settle());
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

/** Kills what has not ended by itself meanwhile. */
async function killServices(context: ProjectContext, options: ConvergeOptions): Promise<void> {
  const { killServices: kill } = await import("../../compose/index.ts");
  try {
    await kill(withoutSignal({ ...context, report: () => undefined }), { services: options.services ?? [] });
  } catch (error) {
    if (!isVarveError(error) || !endedByItself.has(error.code)) throw error;
  }
}

const endedByItself = new Set<string>(["CONTAINER_CONFLICT", "CONTAINER_NOT_FOUND"]);

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

function watchEntry(watch: AttachedWatch, onChange: () => void): MenuEntry {
  return {
    key: "w",
    text: () => (watch.isOn() ? "Disable Watch" : "Enable Watch"),
    act: () => void watch.toggle().then(onChange),
  };
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
