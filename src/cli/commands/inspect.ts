import { isVarveError, type VarveError } from "../../errors/index.ts";
import type { ImageDetails } from "../../engine/index.ts";
import { defineCommand } from "../command.ts";
import { throwFailures } from "../failures.ts";
import { compileTemplate } from "../format/template.ts";

export const inspect = defineCommand({
  usage: "[OPTIONS] NAME|ID [NAME|ID...]",
  flags: {
    format: { kind: "string", short: "f", help: "Print each image by a template, or as json" },
    platform: { kind: "string", help: "Platform to show of an image with several", only: [] },
    size: { kind: "bool", short: "s", help: "Sizes of containers", hidden: true, only: ["false"] },
    type: { kind: "string", help: "Kind of object", hidden: true, only: ["image"] },
  },
  args: { min: 1, max: Infinity },
  async run({ flags, args, io, openStore }) {
    const render = flags.format === undefined ? undefined : compileTemplate(flags.format);
    const store = await openStore();
    const found: Readonly<Record<string, unknown>>[] = [];
    const failures: VarveError[] = [];
    for (const name of args) {
      try {
        found.push(describeImage(await store.images.inspect(name)));
      } catch (error) {
        if (!isVarveError(error) || error.kind !== "not-found") throw error;
        failures.push(error);
      }
    }
    if (render === undefined) io.stdout.print(`${JSON.stringify(found, undefined, 4)}\n`);
    else for (const image of found) io.stdout.print(`${render(image)}\n`);
    throwFailures(failures);
  },
});

/** An image as `docker image inspect` shows it; fields that only a daemon has are left out. */
export function describeImage(image: ImageDetails): Readonly<Record<string, unknown>> {
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: image.names,
    RepoDigests: image.digests,
    Parent: "",
    Comment: config.history?.at(-1)?.comment ?? "",
    Created: config.created ?? "",
    Author: config.author ?? "",
    Config: config.config ?? {},
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    ...(config["os.version"] === undefined ? {} : { OsVersion: config["os.version"] }),
    Size: image.sizeBytes,
    RootFS: { Type: config.rootfs.type, Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: new Date(image.createdMs).toISOString() },
  };
}
