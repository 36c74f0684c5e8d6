import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { isTrue, timeoutOf } from "./flag-values.ts";
import { openContext } from "./open-context.ts";
import { readProjectOrName } from "./open-project.ts";

export const composeDown = defineCommand({
  usage: "[OPTIONS] [SERVICES]",
  flags: {
    "remove-orphans": { kind: "bool", help: "Remove containers for services not defined in the Compose file" },
    rmi: {
      kind: "string",
      help: 'Remove images used by services. "local" remove only images that don\'t have a custom tag ("local"|"all")',
    },
    timeout: { kind: "string", short: "t", help: "Specify a shutdown timeout in seconds" },
    volumes: {
      kind: "bool",
      short: "v",
      help: 'Remove named volumes declared in the "volumes" section of the Compose file and anonymous volumes attached to containers',
    },
  },
  args: { min: 0, max: Infinity },
  failureExitCode: 1,
  async run(call) {
    const { flags, args: services, io } = call;
    const { rmi } = flags;
    if (rmi !== undefined && rmi !== "local" && rmi !== "all")
      throw new VarveError("USAGE", `invalid value for --rmi: "${rmi}"`, { hint: "there are local and all" });
    const context = await openContext(call, await readProjectOrName(call));
    const { down } = await import("../../compose/index.ts");
    await down(context, {
      services,
      volumes: flags.volumes === true,
      removeOrphans: flags["remove-orphans"] === true || isTrue(io.env["COMPOSE_REMOVE_ORPHANS"]),
      ...(rmi === undefined ? {} : { images: rmi }),
      ...timeoutOf(flags.timeout),
    });
  },
});
