import type { Varve } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import type { Io } from "../io.ts";
import { showTransfers } from "../progress/transfers.ts";

export const push = defineCommand({
  usage: "[OPTIONS] NAME[:TAG]",
  flags: {
    "all-tags": { kind: "bool", short: "a", help: "Send every tag of the repository" },
    "disable-content-trust": { kind: "bool", help: "Skip image signing", hidden: true, only: ["true"] },
    platform: { kind: "string", help: "Send the image only if it is for this platform" },
    quiet: { kind: "bool", short: "q", help: "Print the name only" },
  },
  args: { min: 1, max: 1 },
  async run({ flags, args: [name = ""], io, openStore }) {
    const { canonicalName, familiarName, familiarReference, parseReference, withDefaultTag } = await import("../../oci/index.ts");
    const given = parseReference(name);
    const isAll = flags["all-tags"] === true;
    if (isAll && (given.tag ?? given.digest) !== undefined) throw new VarveError("USAGE", "tag can't be used with --all-tags/-a");
    if (given.digest !== undefined) throw new VarveError("USAGE", "cannot push a digest reference");
    const store = await openStore();
    const names = isAll ? await localTags(store, familiarName(given)) : [familiarReference(withDefaultTag(given))];
    if (names.length === 0)
      throw new VarveError("IMAGE_NOT_FOUND", `An image does not exist locally with the tag: ${familiarName(given)}`);
    if (flags.quiet !== true) {
      if (!isAll && given.tag === undefined) io.stdout.print("Using default tag: latest\n");
      io.stdout.print(`The push refers to repository [${canonicalName(given)}]\n`);
    }
    for (const each of names) await pushOne(store, each, io, flags);
    if (flags.quiet === true) io.stdout.print(`${isAll ? canonicalName(given) : canonicalOf(given, names[0] ?? "")}\n`);

    function canonicalOf(reference: typeof given, shown: string): string {
      return `${canonicalName(reference)}:${parseReference(shown).tag ?? "latest"}`;
    }
  },
});

async function localTags(store: Varve, repository: string): Promise<readonly string[]> {
  const names = (await store.images.list()).flatMap((image) => image.names);
  return names.filter((each) => each.slice(0, each.lastIndexOf(":")) === repository).sort();
}

async function pushOne(
  store: Varve,
  name: string,
  io: Io,
  { platform, quiet }: { readonly platform: string | undefined; readonly quiet: boolean | undefined },
): Promise<void> {
  const options = { signal: io.signal, ...(platform === undefined ? {} : { platform }) };
  if (quiet === true) return void (await store.images.push(name, options));
  const { descriptor } = await showTransfers(
    io.stdout,
    async (onLayer) => await store.images.push(name, { ...options, onLayer }),
  );
  io.stdout.print(`${name.slice(name.lastIndexOf(":") + 1)}: digest: ${descriptor.digest} size: ${descriptor.size}\n`);
}
