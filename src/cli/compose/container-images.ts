import { resolve } from "node:path";
import type { Observed } from "../../compose/index.ts";
import { defineCommand } from "../command.ts";
import { commit, exportFiles, readCommit } from "../commands/container-images.ts";
import { optional } from "../store.ts";
import { readNumber } from "./flag-values.ts";
import { isDryRun, openContext, type ShownContext } from "./open-context.ts";
import { readProjectOrName, type ComposeCall } from "./open-project.ts";

const index = { kind: "string", help: "Index of the container if service has multiple replicas" } as const;

export const composeCommit = defineCommand({
  usage: "[OPTIONS] SERVICE [REPOSITORY[:TAG]]",
  flags: { ...commit.flags, index },
  args: { min: 1, max: 2 },
  failureExitCode: 1,
  async run(call) {
    const { flags, args, io } = call;
    const [service = "", reference] = args;
    const { context, found } = await openRunning(call, service, flags.index);
    const event = { subject: found.name, text: `Commit ${found.name}` };
    context.report({ ...event, status: "Committing", isUnderWay: true });
    if (isDryRun(call)) return context.report({ ...event, status: "Committed" });
    const { id, warnings } = await context.engine.containers.commit(found.id, {
      ...readCommit(flags, reference),
      signal: io.signal,
    });
    for (const warning of warnings) context.warn(warning);
    context.report({ ...event, status: `Committed as ${id}` });
  },
});

export const composeExport = defineCommand({
  usage: "[OPTIONS] SERVICE",
  flags: { ...exportFiles.flags, index },
  args: { min: 1, max: 1 },
  failureExitCode: 1,
  async run(call) {
    const { flags, args, io } = call;
    const [service = ""] = args;
    const { context, found } = await openRunning(call, service, flags.index);
    const to = flags.output === undefined ? "-" : resolve(io.cwd, flags.output);
    const event = { subject: found.name, text: `export ${found.name} to ${to}` };
    context.report({ ...event, status: "Exporting", isUnderWay: true });
    if (!isDryRun(call)) await exportFiles.run({ ...call, args: [found.id] });
    context.report({ ...event, status: "Exported" });
  },
});

async function openRunning(
  call: ComposeCall,
  service: string,
  number: string | undefined,
): Promise<{ readonly context: ShownContext; readonly found: Observed }> {
  const wanted = readNumber(number, "--index");
  const context = await openContext(call, await readProjectOrName(call));
  const { findContainer } = await import("../../compose/index.ts");
  return { context, found: await findContainer(context, service, { running: true, ...optional("index", wanted) }) };
}
