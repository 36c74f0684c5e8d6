import { defineCommand } from "../command.ts";
import { createPlainProgress } from "../progress/plain.ts";
import { watch } from "../progress/watch.ts";

export const push = defineCommand({
  usage: "[OPTIONS] NAME[:TAG]",
  flags: {
    "all-tags": { kind: "bool", short: "a", help: "Send every tag of the repository", only: ["false"] },
    "disable-content-trust": { kind: "bool", help: "Skip image signing", hidden: true, only: ["true"] },
    platform: { kind: "string", help: "Send one platform of an image with several", only: [] },
    quiet: { kind: "bool", short: "q", help: "Print the name only" },
  },
  args: { min: 1, max: 1 },
  async run({ flags, args: [name = ""], io, openStore }) {
    const { canonicalName, formatReference, parseReference, withDefaultTag } = await import("../../oci/index.ts");
    const reference = withDefaultTag(parseReference(name));
    const store = await openStore();
    if (flags.quiet === true) {
      await store.images.push(name, { signal: io.signal });
      io.stdout.print(`${formatReference(reference)}\n`);
      return;
    }
    io.stdout.print(`The push refers to repository [${canonicalName(reference)}]\n`);
    const progress = createPlainProgress({ write: io.stderr.print });
    const { descriptor } = await watch(
      progress,
      io,
      async (onEvent) => await store.images.push(name, { signal: io.signal, onEvent }),
    );
    io.stdout.print(`${reference.tag ?? "latest"}: digest: ${descriptor.digest} size: ${descriptor.size}\n`);
  },
});
