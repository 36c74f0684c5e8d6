import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";

export const removeBuilds = defineCommand({
  usage: "[OPTIONS] [REF...]",
  flags: {
    all: { kind: "bool", help: "Remove all records but those of builds that run" },
    builder: { kind: "string", help: "Builder to work with (default: BUILDX_BUILDER, or with buildx the one in use)" },
  },
  args: { min: 0, max: Infinity },
  async run({ flags, args, openStore }) {
    if (args.length === 0 && flags.all !== true) throw new VarveError("USAGE", "rm requires at least one argument");
    if (args.length > 0 && flags.all === true) throw new VarveError("USAGE", "rm requires either --all or at least one argument");
    await (await openStore()).history.remove(flags.all === true ? "all" : args);
  },
});
