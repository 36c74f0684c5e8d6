import { defineCommand } from "../command.ts";
import { createPlainProgress } from "../progress/plain.ts";
import { watch } from "../progress/watch.ts";

export const pull = defineCommand({
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
  flags: {
    "all-tags": { kind: "bool", short: "a", help: "Get every tag of the repository", only: ["false"] },
    "disable-content-trust": { kind: "bool", help: "Skip image verification", hidden: true, only: ["true"] },
    platform: { kind: "string", help: "Platform of the image" },
    quiet: { kind: "bool", short: "q", help: "Print the name only" },
  },
  args: { min: 1, max: 1 },
  async run({ flags, args: [name = ""], io, openStore }) {
    const store = await openStore();
    const platform = flags.platform ?? io.env["DOCKER_DEFAULT_PLATFORM"];
    const options = { signal: io.signal, ...(platform === undefined || platform === "" ? {} : { platform }) };
    if (flags.quiet === true) {
      io.stdout.print(`${(await store.images.pull(name, options)).name}\n`);
      return;
    }
    if (!/[:@][^/]*$/.test(name)) io.stdout.print("Using default tag: latest\n");
    const progress = createPlainProgress({ write: io.stderr.print });
    const result = await watch(progress, io, async (onEvent) => await store.images.pull(name, { ...options, onEvent }));
    io.stdout.print(`Digest: ${result.digest}\n`);
    const shown = /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
    io.stdout.print(
      `Status: ${result.changed ? "Downloaded newer image" : "Image is up to date"} for ${shown}\n${result.name}\n`,
    );
  },
});
