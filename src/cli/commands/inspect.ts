import { isVarveError, VarveError } from "../../errors/index.ts";
import type { ImageDetails } from "../../engine/index.ts";
import { defineCommand } from "../command.ts";
import { throwFailures } from "../failures.ts";
import { isTrue } from "../format/go-value.ts";
import { compileTemplate } from "../format/template.ts";

/** What Docker can inspect. Of all but images there are none here. */
const types = ["config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"];

export const inspect = defineCommand({
  usage: "[OPTIONS] NAME|ID [NAME|ID...]",
  flags: {
    format: { kind: "string", short: "f", help: "Print each image by a template, or as json" },
    platform: { kind: "string", help: "Platform to show of an image with several", only: [] },
    size: { kind: "bool", short: "s", help: "Sizes of containers", hidden: true, only: ["false"] },
    type: { kind: "string", help: "Kind of object; there are images only" },
  },
  args: { min: 1, max: Infinity },
  async run({ flags, args, io, openStore }) {
    const isJson = flags.format === "json";
    const render = flags.format === undefined || isJson ? undefined : compileTemplate(flags.format);
    const type = flags.type ?? "";
    if (type !== "" && !types.includes(type))
      throw new VarveError("USAGE", `unknown type: "${type}": must be one of ${types.map((name) => `"${name}"`).join(", ")}`);
    const store = await openStore();
    const found: Readonly<Record<string, unknown>>[] = [];
    const failures: VarveError[] = [];
    for (const name of args) {
      try {
        if (type !== "" && type !== "image") throw new VarveError("IMAGE_NOT_FOUND", `No such ${type}: ${name}`);
        found.push(describeImage(await store.images.inspect(name)));
      } catch (error) {
        if (!isVarveError(error) || error.kind !== "not-found") throw error;
        failures.push(error);
      }
    }
    if (render !== undefined) for (const image of found) io.stdout.print(`${render(forTemplates(image))}\n`);
    else io.stdout.print(`${JSON.stringify(found, undefined, isJson ? undefined : 4)}\n`);
    throwFailures(failures);
  },
});

/** An image as `docker image inspect` shows it; fields that only a daemon has are left out. */
export function describeImage(image: ImageDetails): Readonly<Record<string, unknown>> {
  const { config } = image;
  const [named = ""] = image.digests;
  return {
    Id: image.id,
    RepoTags: image.names,
    RepoDigests: image.digests,
    Parent: "",
    Comment: config.history?.at(-1)?.comment ?? "",
    Created: config.created ?? "",
    DockerVersion: "",
    Author: config.author ?? "",
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    ...(config["os.version"] === undefined ? {} : { OsVersion: config["os.version"] }),
    Size: image.sizeBytes,
    GraphDriver: { Data: null, Name: "overlayfs" },
    RootFS: { Type: config.rootfs.type, Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: new Date(image.createdMs).toISOString() },
    ...(named === "" ? {} : { Descriptor: { digest: named.slice(named.indexOf("@") + 1) } }),
    Config: describeConfig({ ...config.config }),
  };
}

/** Docker names these also where the image says nothing of them; and all of them in order. */
const always = { Cmd: null, Entrypoint: null, Env: null, Labels: null, OnBuild: null, User: "", Volumes: null, WorkingDir: "" };

function describeConfig(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries({ ...always, ...config }).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** The zero values of Docker's struct of a config, in its order. */
const zeroConfig = {
  User: "",
  ExposedPorts: new Map(),
  Env: [],
  Entrypoint: [],
  Cmd: [],
  Volumes: new Map(),
  WorkingDir: "",
  Labels: new Map(),
  StopSignal: "",
  ArgsEscaped: false,
  Healthcheck: null,
  OnBuild: [],
  Shell: [],
};

/** For templates, as Docker's structs are: each field of the config has a value, maps are maps, and JSON leaves out what is empty. */
function forTemplates(image: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const config = image["Config"] as Readonly<Record<string, unknown>>;
  const fields = Object.entries(zeroConfig).map(([key, zero]) => {
    const value = config[key] ?? zero;
    return [key, zero instanceof Map && !(value instanceof Map) ? new Map(Object.entries(value as object)) : value] as const;
  });
  const others = Object.entries(config).filter(([key]) => !Object.hasOwn(zeroConfig, key));
  const filled = Object.fromEntries([...fields, ...others]);
  const shown = Object.fromEntries([...fields, ...others].filter(([, value]) => isTrue(value)));
  return { ...image, Config: Object.defineProperty(filled, "toJSON", { value: () => shown }) };
}
