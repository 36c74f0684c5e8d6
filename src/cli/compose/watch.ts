import type { Project, Service } from "../../compose-file/index.ts";
import { defineCommand } from "../command.ts";
import { exitCodeOf } from "../exit-codes.ts";
import { isDryRun, openContext } from "./open-context.ts";
import { readProject } from "./open-project.ts";
import { createWatchPrinter, watchContext } from "./print-watch.ts";

export const composeWatch = defineCommand({
  usage: "[SERVICE...]",
  flags: {
    "no-up": { kind: "bool", help: "Do not build & start services before watching" },
    prune: { kind: "bool", help: "Prune dangling images on rebuild (default true)" },
    quiet: { kind: "bool", help: "hide build output" },
  },
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { flags, args: services, io } = call;
    const isQuiet = flags.quiet === true;
    const project = watchedProject(await readProject(call, services));
    const { up, watchProject } = await import("../../compose/index.ts");
    const context = await openContext(call, project, { quietBuild: isQuiet, quietPull: isQuiet });
    const bringUp = async (): Promise<void> => {
      await up(context, { services, recreateDependencies: "never" });
      context.display.leave();
    };
    if (isDryRun(call)) return flags["no-up"] === true ? 0 : await bringUp();
    const print = (stream: 1 | 2, text: string): void => (stream === 1 ? io.stdout : io.stderr).print(text);
    await watchProject(watchContext(context, call, { print, isQuiet }), {
      services,
      signal: io.signal,
      prune: flags.prune !== false,
      onEvent: createWatchPrinter({ print, warn: context.warn }),
      ...(flags["no-up"] === true ? {} : { prepare: bringUp }),
    });
    // nothing else ends it; that it was ended is no failure to be told of
    return exitCodeOf(io.signal.reason);
  },
});

/** What is watched is built anew, whatever image there is. */
function watchedProject(project: Project): Project {
  const built = (service: Service): Service =>
    service.build === undefined || service.develop === undefined ? service : { ...service, pull_policy: "build" };
  const services = Object.entries(project.services).map(([name, service]) => [name, built(service)] as const);
  return { ...project, services: Object.fromEntries(services) };
}
