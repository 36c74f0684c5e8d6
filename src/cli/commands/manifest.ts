import type { RemoteDocument } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import { defineCommand } from "../command.ts";
import { optional } from "../store.ts";

const insecure = { kind: "bool", help: "The registry may have any certificate, or none" } as const;

export const manifestCreate = defineCommand({
  usage: "MANIFEST_LIST MANIFEST [MANIFEST...]",
  flags: { amend: { kind: "bool", short: "a", help: "Change a list that is there" }, insecure },
  args: { min: 2, max: Infinity },
  async run({ flags, args: [name = "", ...images], io, openStore }) {
    const lists = await (await openStore()).remoteImages.lists();
    const options = { amend: flags.amend === true, insecure: flags.insecure === true, signal: io.signal };
    const list = await lists.create(name, images, options);
    io.stdout.print(`Created manifest list ${list.name}\n`);
  },
});

export const manifestAnnotate = defineCommand({
  usage: "[OPTIONS] MANIFEST_LIST MANIFEST",
  flags: {
    arch: { kind: "string", help: "Set architecture" },
    os: { kind: "string", help: "Set operating system" },
    "os-features": { kind: "csv", help: "Set operating system features" },
    "os-version": { kind: "string", help: "Set operating system version" },
    variant: { kind: "string", help: "Set architecture variant" },
  },
  args: { min: 2, max: 2 },
  async run({ flags, args: [name = "", image = ""], openStore }) {
    const lists = await (await openStore()).remoteImages.lists();
    lists.annotate(name, image, {
      ...optional("architecture", flags.arch),
      ...optional("os", flags.os),
      ...optional("osVersion", flags["os-version"]),
      ...optional("variant", flags.variant),
      ...optional("osFeatures", flags["os-features"].length === 0 ? undefined : flags["os-features"]),
    });
  },
});

export const manifestInspect = defineCommand({
  usage: "[OPTIONS] [MANIFEST_LIST] MANIFEST",
  flags: { insecure, verbose: { kind: "bool", short: "v", help: "Show what is known beside the document" } },
  args: { min: 1, max: 2 },
  async run({ flags, args, io, openStore }) {
    const { remoteImages } = await openStore();
    const lists = await remoteImages.lists();
    const [first = "", second] = args;
    const list = lists.get(first);
    if (second === undefined && list !== undefined) {
      io.stdout.print(`${formatList(lists.index(first).bytes)}\n`);
      return;
    }
    const name = second ?? first;
    const options = { insecure: flags.insecure === true, signal: io.signal };
    if (second !== undefined && list === undefined) throw new VarveError("IMAGE_NOT_FOUND", `No such manifest: ${first}`);
    const document = await remoteImages.inspect(name, options);
    if (flags.verbose !== true) {
      const text = document.manifests === undefined ? formatManifest(document.bytes) : formatList(document.bytes);
      io.stdout.print(`${text}\n`);
      return;
    }
    const shown: object[] = [];
    if (document.manifests === undefined) {
      const [platform] = [...(await remoteImages.configs(name, options)).keys()];
      shown.push(verboseOf(document, platform));
    }
    for (const { digest, platform } of document.manifests ?? []) {
      const part = await remoteImages.inspect(`${document.name.replace(/(?::[^/:@]*)?(?:@.*)?$/, "")}@${digest}`, options);
      shown.push(
        verboseOf(
          {
            ...part,
            name: `${document.name}@${digest}`,
            descriptor: { ...part.descriptor, ...(platform === undefined ? {} : { platform }) },
          },
          undefined,
        ),
      );
    }
    io.stdout.print(`${JSON.stringify(document.manifests === undefined ? shown[0] : shown, undefined, "\t")}\n`);
  },
});

export const manifestPush = defineCommand({
  usage: "[OPTIONS] MANIFEST_LIST",
  flags: { insecure, purge: { kind: "bool", short: "p", help: "Remove the local list when it is pushed" } },
  args: { min: 1, max: 1 },
  async run({ flags, args: [name = ""], io, openStore }) {
    const { remoteImages } = await openStore();
    const lists = await remoteImages.lists();
    const joined = lists.index(name);
    await remoteImages.push(joined, [name], {
      insecure: flags.insecure === true,
      signal: io.signal,
      onCopy(digest, _, to) {
        io.stdout.print(`Pushed ref ${to.replace(/:[^/:@]*$/, "")}@${digest} with digest: ${digest}\n`);
      },
    });
    io.stdout.print(`${joined.descriptor.digest}\n`);
    if (flags.purge === true) lists.remove(name);
  },
});

export const manifestRm = defineCommand({
  usage: "MANIFEST_LIST [MANIFEST_LIST...]",
  flags: {},
  args: { min: 1, max: Infinity },
  async run({ args, openStore }) {
    const lists = await (await openStore()).remoteImages.lists();
    for (const name of args) lists.remove(name);
  },
});

/** Docker prints lists with the members in another order than they have in the document. */
function formatList(bytes: Uint8Array): string {
  const { schemaVersion, mediaType, manifests } = JSON.parse(Buffer.from(bytes).toString()) as {
    readonly schemaVersion: number;
    readonly mediaType?: string;
    readonly manifests: readonly {
      readonly mediaType: string;
      readonly size: number;
      readonly digest: string;
      readonly platform?: object;
    }[];
  };
  const parts = manifests.map(({ mediaType: type, size, digest, platform }) => ({ mediaType: type, size, digest, platform }));
  return JSON.stringify({ schemaVersion, mediaType, manifests: parts }, undefined, 3);
}

function formatManifest(bytes: Uint8Array): string {
  return JSON.stringify(JSON.parse(Buffer.from(bytes).toString()), undefined, "\t");
}

function verboseOf({ name, descriptor, bytes }: RemoteDocument, platform: string | undefined): object {
  const [os = "", architecture = "", variant] = platform?.split("/") ?? [];
  const found = platform === undefined ? descriptor.platform : { architecture, os, ...optional("variant", variant) };
  const { mediaType, digest, size } = descriptor;
  return {
    Ref: name,
    Descriptor: { mediaType, digest, size, ...optional("platform", found) },
    Raw: Buffer.from(bytes).toString("base64"),
    [mediaType.includes("vnd.docker.") ? "SchemaV2Manifest" : "OCIManifest"]: JSON.parse(Buffer.from(bytes).toString()) as object,
  };
}
