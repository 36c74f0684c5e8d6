import type { Observed, ProjectContext } from "../../compose/index.ts";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { copyPaths } from "../commands/cp.ts";
import { readNumber } from "./flag-values.ts";
import { isDryRun, openContext } from "./open-context.ts";
import { readProjectOrName } from "./open-project.ts";

export const composeCp = defineCommand({
  usage: "[OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n\tvarve compose cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH",
  flags: {
    all: { kind: "bool", help: "Include containers created by the run command" },
    archive: { kind: "bool", short: "a", help: "Give what is copied into a container to the user that the container runs as" },
    "follow-link": { kind: "bool", short: "L", help: "Copy what a link in SRC_PATH leads to" },
    index: { kind: "string", help: "Index of the container if service has multiple replicas" },
  },
  args: { min: 2, max: 2 },
  failureExitCode: 1,
  async run(call) {
    const { flags, io } = call;
    const [from = "", to = ""] = call.args;
    const [source, destination] = [from, to].map(serviceOf);
    if (source !== undefined && destination !== undefined)
      throw new VarveError("USAGE", "copying between services is not supported");
    const service = source ?? destination;
    if (service === undefined)
      throw new VarveError("USAGE", "unknown copy direction", { hint: "name the service: SERVICE:PATH" });
    const context = await openContext(call, await readProjectOrName(call), { title: "Copying" });
    const found = await containersOf(context, service, { index: readNumber(flags.index, "--index"), all: flags.all === true });
    // Out of one, into all of them.
    for (const { name } of source === undefined ? found : found.slice(0, 1)) {
      const named = (path: string): string => `${name}${path.slice(service.length)}`;
      const paths = source === undefined ? { from, to: named(to) } : { from: named(from), to };
      const event = { subject: name, text: `copy ${paths.from} to ${paths.to}` };
      context.report({ ...event, status: "Copying", isUnderWay: true });
      if (!isDryRun(call)) await copyPaths(paths, { flags, io, open: () => Promise.resolve(context.engine.containers) });
      context.report({ ...event, status: "Copied" });
    }
  },
});

/** The service of `SERVICE:PATH`. */
function serviceOf(text: string): string | undefined {
  return /^([^./:][^/:]*):/.exec(text)?.[1];
}

async function containersOf(
  context: ProjectContext,
  service: string,
  { index, all }: { readonly index: number | undefined; readonly all: boolean },
): Promise<readonly Observed[]> {
  const { observeProject, ofServices } = await import("../../compose/index.ts");
  const own = ofServices(await observeProject(context), [service], { oneOff: all });
  const found = index === undefined || index === 0 ? own : own.filter(({ number, isOneOff }) => number === index && !isOneOff);
  if (found.length === 0) throw new VarveError("SERVICE_NOT_FOUND", `no container found for service "${service}"`);
  return found;
}
