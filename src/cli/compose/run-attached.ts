import type { Project } from "../../compose-file/index.ts";
import type { ConvergeOptions, Observed, ProjectContext } from "../../compose/index.ts";
import { VarveError } from "../../errors/index.ts";
import type { Call } from "../command.ts";
import { openContext } from "./open-context.ts";
import { createLogPrinter, logColors } from "./print-logs.ts";
import type { upFlags } from "./up-flags.ts";

/**
 * `up` in the foreground: the services' logs, until all have ended. The first SIGINT or SIGTERM stops them in order, the second
 * kills them. Returns the exit code.
 */
export async function runAttached(call: Call<typeof upFlags>, project: Project, options: ConvergeOptions): Promise<number> {
  const { flags, io, composeFlags } = call;
  const compose = await import("../../compose/index.ts");
  const interrupt = new AbortController();
  let signals = 0;
  // made once the project is known to the engine; until then there is nothing to kill
  let context: ProjectContext | undefined;
  const release = io.takeSignals?.((signal) => {
    if (signal !== "SIGINT" && signal !== "SIGTERM") return;
    signals += 1;
    if (signals === 1) interrupt.abort(new VarveError("CANCELED", `canceled by ${signal}`, { details: { signal } }));
    else if (context !== undefined) void killAll(context);
  });
  const follower = new AbortController();
  try {
    const signal = AbortSignal.any([io.signal, interrupt.signal]);
    context = await openContext(call, project, { signal, quietBuild: flags["quiet-build"] === true });
    const ownContext: ProjectContext = context;
    const services = await compose.converge(context, options);
    const followed = attachedServices(
      call,
      project,
      services.map(({ name }) => name),
    );
    const containers = compose.ofServices(await compose.observeProject(context), followed.length === 0 ? [""] : followed);
    const names = containers.map(compose.shortName);
    const printer = createLogPrinter(io, {
      names,
      prefix: flags["no-log-prefix"] !== true,
      colors: logColors(io, { ansi: composeFlags?.ansi, noColor: flags["no-color"] === true }),
      timestamps: flags.timestamps === true,
    });
    const outcome = createOutcome(flags);
    const startMs = io.now();
    const logs = compose.followLogs(context.engine, {
      follow: true,
      signal: follower.signal,
      onLine: printer.line,
      onExit(container, exitCode) {
        printer.exit(container, exitCode);
        outcome.exited(container, exitCode);
      },
    });
    io.stdout.print(`Attaching to ${names.join(", ")}\n`);
    const ids = new Set(containers.map(({ id }) => id));
    const work = async (): Promise<void> => {
      await compose.startServices(ownContext, services, {
        onRunning: (container) => {
          // what it wrote in earlier runs was read then
          if (ids.has(container.id)) logs.add(container, { sinceMs: startMs });
        },
      });
      await logs.done();
    };
    await Promise.race([work(), outcome.aborted, aborted(signal)]);
    if (!outcome.isAborted()) return outcome.exitCode();
    io.stdout.print("Aborting on container exit...\n");
    await compose.stopServices({ ...context, signal: io.signal }, options);
    await Promise.race([logs.done(), aborted(io.signal)]);
    return outcome.exitCode();
  } catch (error) {
    if (!interrupt.signal.aborted || context === undefined) throw error;
    io.stdout.print("Gracefully Stopping... press Ctrl+C again to force\n");
    const { signal: _interrupted, ...rest } = context;
    await compose.stopServices(rest, options.timeoutS === undefined ? {} : { timeoutS: options.timeoutS });
    return 130;
  } finally {
    follower.abort();
    release?.();
  }
}

async function killAll(context: ProjectContext): Promise<void> {
  const { killServices } = await import("../../compose/index.ts");
  const { signal: _interrupted, ...rest } = context;
  await killServices(rest, {});
}

/** Whose logs are shown: those named, unless other flags or the files say otherwise. */
function attachedServices({ flags, args }: Call<typeof upFlags>, project: Project, all: readonly string[]): readonly string[] {
  const named = args.length === 0 || flags["attach-dependencies"] === true ? all : args;
  const wanted = flags.attach.length > 0 ? flags.attach : named.filter((name) => project.services[name]?.attach !== false);
  return wanted.filter((name) => !flags["no-attach"].includes(name));
}

interface Outcome {
  exited(container: Observed, exitCode: number): void;
  /** Resolves when a container's end is to end all. */
  readonly aborted: Promise<void>;
  isAborted(): boolean;
  exitCode(): number;
}

/** What the ends of containers mean, by `--abort-on-container-exit` and its relatives. */
function createOutcome(flags: Call<typeof upFlags>["flags"]): Outcome {
  const from = flags["exit-code-from"];
  let first: number | undefined;
  let ofService: number | undefined;
  let isAborted = false;
  let abort = (): void => undefined;
  const promise = new Promise<void>((resolve) => void (abort = resolve));
  return {
    exited({ service }, exitCode) {
      const aborts =
        from !== undefined ||
        flags["abort-on-container-exit"] === true ||
        (flags["abort-on-container-failure"] === true && exitCode !== 0);
      if (service === from) ofService ??= exitCode;
      if (!aborts) return;
      first ??= exitCode;
      isAborted = true;
      abort();
    },
    aborted: promise,
    isAborted: () => isAborted,
    exitCode: () => (from === undefined ? (first ?? 0) : (ofService ?? 0)),
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
