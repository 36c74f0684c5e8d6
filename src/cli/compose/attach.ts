import { defineCommand } from "../command.ts";
import { attach } from "../commands/attach.ts";
import { optional } from "../store.ts";
import { readNumber } from "./flag-values.ts";
import { openContext, refuseDryRun } from "./open-context.ts";
import { readProjectOrName } from "./open-project.ts";

export const composeAttach = defineCommand({
  usage: "[OPTIONS] SERVICE",
  flags: {
    ...attach.flags,
    index: { kind: "string", help: "Index of the container if service has multiple replicas" },
  },
  args: { min: 1, max: 1 },
  failureExitCode: 1,
  async run(call) {
    const { flags, args } = call;
    const [service = ""] = args;
    const index = readNumber(flags.index, "--index");
    const context = await openContext(call, await readProjectOrName(call));
    const { findContainer } = await import("../../compose/index.ts");
    const { id } = await findContainer(context, service, { running: true, ...optional("index", index) });
    refuseDryRun(call, "run");
    return await attach.run({ ...call, args: [id] });
  },
});
