import { isVarveError, type VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { throwFailures } from "../failures.ts";

export const remove = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  flags: {
    force: { kind: "bool", short: "f", help: "Remove an ID with several names; say nothing about images that do not exist" },
    "no-prune": { kind: "bool", help: "Keep untagged parents", only: ["false"] },
    platform: { kind: "csv", help: "Remove only these platforms of an image", only: [] },
  },
  args: { min: 1, max: Infinity },
  async run({ flags, args, io, openStore }) {
    const store = await openStore();
    const force = flags.force === true;
    const failures: VarveError[] = [];
    for (const name of args) {
      try {
        for (const { untagged, deleted } of await store.images.remove(name, { force })) {
          if (untagged !== undefined) io.stdout.print(`Untagged: ${untagged}\n`);
          if (deleted !== undefined) io.stdout.print(`Deleted: ${deleted}\n`);
        }
      } catch (error) {
        if (!isVarveError(error)) throw error;
        if (!force || error.kind !== "not-found") failures.push(error);
      }
    }
    throwFailures(failures);
  },
});
