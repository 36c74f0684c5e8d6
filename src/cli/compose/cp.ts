import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { optional } from "../store.ts";
import { readNumber } from "./flag-values.ts";
import { openContext } from "./open-context.ts";
import { readProjectOrName } from "./open-project.ts";

export const composeCp = defineCommand({
  usage: "[OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n\tvarve compose cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH",
  flags: {
    archive: { kind: "bool", short: "a", help: "Give what is copied into a container to the user that the container runs as" },
    "follow-link": { kind: "bool", short: "L", help: "Copy what a link in SRC_PATH leads to" },
    index: { kind: "string", help: "Index of the container if service has multiple replicas" },
  },
  args: { min: 2, max: 2 },
  failureExitCode: 1,
  async run(call) {
    const [from = "", to = ""] = call.args;
    const side = [from, to].findIndex((text) => /^[^./:][^/:]*:/.test(text));
    if (side < 0) throw new VarveError("USAGE", "unknown copy direction", { hint: "name the service: SERVICE:PATH" });
    const text = side === 0 ? from : to;
    const service = text.slice(0, text.indexOf(":"));
    const context = await openContext(call, await readProjectOrName(call));
    const { findContainer } = await import("../../compose/index.ts");
    const { id } = await findContainer(context, service, optional("index", readNumber(call.flags.index, "--index")));
    const named = `${id}${text.slice(service.length)}`;
    const { cp } = await import("../commands/cp.ts");
    const { archive, "follow-link": followLink } = call.flags;
    const flags = { archive, "follow-link": followLink, quiet: undefined };
    return await cp.run({ ...call, flags, args: side === 0 ? [named, to] : [from, named] });
  },
});
