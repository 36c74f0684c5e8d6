import { resolve } from "node:path";
import { VarveError } from "../../errors/index.ts";
import { createFileAside } from "../file-aside.ts";
import { defineCommand } from "../command.ts";

export const save = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  flags: {
    output: { kind: "string", short: "o", help: "Write to a file instead of STDOUT" },
    platform: { kind: "csv", help: "Save only these platforms" },
  },
  args: { min: 1, max: Infinity },
  async run({ flags, args, io, openStore }) {
    const store = await openStore();
    const options = { platforms: flags.platform, signal: io.signal };
    if (flags.output === undefined) {
      if (io.stdout.isTerminal)
        throw new VarveError("USAGE", "cowardly refusing to save to a terminal", { hint: "use the -o flag or redirect" });
      await store.images.save(args, (chunk) => io.stdout.write(chunk), options);
      return;
    }
    const file = await createFileAside(resolve(io.cwd, flags.output));
    try {
      await store.images.save(args, file.write, options);
      await file.commit();
    } finally {
      await file.close();
    }
  },
});
