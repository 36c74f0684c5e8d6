import type { Varve } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import type { ImageReference } from "../../oci/index.ts";
import { defineCommand } from "../command.ts";
import type { Io } from "../io.ts";
import { showTransfers } from "../progress/transfers.ts";

export const pull = defineCommand({
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
  flags: {
    "all-tags": { kind: "bool", short: "a", help: "Get every tag of the repository" },
    "disable-content-trust": { kind: "bool", help: "Skip image verification", hidden: true, only: ["true"] },
    platform: { kind: "string", help: "Platform of the image" },
    quiet: { kind: "bool", short: "q", help: "Print the name only" },
  },
  args: { min: 1, max: 1 },
  async run({ flags, args: [name = ""], io, openStore }) {
    const { canonicalName, formatReference, parseReference, withDefaultTag } = await import("../../oci/index.ts");
    const given = parseReference(name);
    const isAll = flags["all-tags"] === true;
    if (isAll && (given.tag ?? given.digest) !== undefined) throw new VarveError("USAGE", "tag can't be used with --all-tags/-a");
    const platform = flags.platform ?? io.env["DOCKER_DEFAULT_PLATFORM"];
    const isQuiet = flags.quiet === true;
    const store = await openStore();
    if (!isAll && (given.tag ?? given.digest) === undefined && !isQuiet) io.stdout.print("Using default tag: latest\n");
    const references = isAll
      ? (await store.images.remoteTags(name, { signal: io.signal })).map((tag): ImageReference => ({ ...given, tag }))
      : [withDefaultTag(given)];
    for (const reference of references) {
      await pullOne(store, reference, io, { platform: platform === "" ? undefined : platform, isQuiet });
    }
    const [first = given] = references;
    io.stdout.print(`${isAll ? canonicalName(given) : formatReference(first)}\n`);
  },
});

async function pullOne(
  store: Varve,
  reference: ImageReference,
  io: Io,
  { platform, isQuiet }: { readonly platform: string | undefined; readonly isQuiet: boolean },
): Promise<void> {
  const { familiarReference, formatReference } = await import("../../oci/index.ts");
  const options = { signal: io.signal, ...(platform === undefined ? {} : { platform }) };
  const name = formatReference(reference);
  if (isQuiet) return void (await store.images.pull(name, options));
  io.stdout.print(`${reference.digest ?? reference.tag ?? "latest"}: Pulling from ${reference.path}\n`);
  const result = await showTransfers(io.stdout, async (onLayer) => await store.images.pull(name, { ...options, onLayer }));
  io.stdout.print(`Digest: ${result.digest}\n`);
  const status = result.changed ? "Downloaded newer image" : "Image is up to date";
  io.stdout.print(`Status: ${status} for ${familiarReference(reference)}\n`);
}
