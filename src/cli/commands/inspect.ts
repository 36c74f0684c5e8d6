import { isVarveError, VarveError } from "../../errors/index.ts";
import type { ImageDetails, Varve } from "../../engine/index.ts";
import { defineCommand, type Call } from "../command.ts";
import { containerForTemplates, describeContainer } from "../containers/describe-container.ts";
import { throwFailures } from "../failures.ts";
import { isTrue } from "../format/go-value.ts";
import { compileTemplate } from "../format/template.ts";
import { describeNetwork, describeVolume, networkForTemplates, volumeForTemplates } from "../networks/describe-network.ts";

/** What Docker can inspect. Without a type containers are looked for first, then images, networks and volumes. */
const types = ["config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"];

const inspectFlags = {
  format: { kind: "string", short: "f", help: "Print each object by a template, or as json" },
} as const;
const platformFlag = { kind: "string", help: "Platform to show of an image with several", only: [] } as const;
const sizeFlag = { kind: "bool", short: "s", help: "Display total file sizes if the type is container" } as const;

/** Containers, images, networks and volumes. */
export const inspect = defineCommand({
  usage: "[OPTIONS] NAME|ID [NAME|ID...]",
  flags: {
    ...inspectFlags,
    platform: platformFlag,
    size: sizeFlag,
    type: { kind: "string", help: "Kind of object: container, image, network, volume" },
  },
  args: { min: 1, max: Infinity },
  async run({ flags, args, io, openStore }) {
    const type = flags.type ?? "";
    if (type !== "" && !types.includes(type))
      throw new VarveError("USAGE", `unknown type: "${type}": must be one of ${types.map((name) => `"${name}"`).join(", ")}`);
    await printObjects(args, { io, openStore, format: flags.format, type, size: flags.size === true });
  },
});

export const imageInspect = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  flags: { ...inspectFlags, platform: platformFlag },
  args: { min: 1, max: Infinity },
  async run({ flags, args, io, openStore }) {
    await printObjects(args, { io, openStore, format: flags.format, type: "image", size: false });
  },
});

export const containerInspect = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  flags: { ...inspectFlags, size: sizeFlag },
  args: { min: 1, max: Infinity },
  async run({ flags, args, io, openStore }) {
    await printObjects(args, { io, openStore, format: flags.format, type: "container", size: flags.size === true });
  },
});

interface InspectOptions extends Pick<Call, "io" | "openStore"> {
  readonly format: string | undefined;
  /** "" is any. */
  readonly type: string;
  readonly size: boolean;
}

async function printObjects(names: readonly string[], { io, openStore, format, type, size }: InspectOptions): Promise<void> {
  const isJson = format === "json";
  const render = format === undefined || isJson ? undefined : compileTemplate(format);
  const store = await openStore();
  const found: Readonly<Record<string, unknown>>[] = [];
  const failures: VarveError[] = [];
  for (const name of names) {
    try {
      found.push(await describeObject(store, name, { type, size }));
    } catch (error) {
      if (!isVarveError(error) || error.kind !== "not-found") throw error;
      failures.push(error);
    }
  }
  if (render !== undefined) for (const object of found) io.stdout.print(`${render(withGoMaps(object))}\n`);
  else io.stdout.print(`${JSON.stringify(found, undefined, isJson ? undefined : 4)}\n`);
  throwFailures(failures);
}

/** An object with Go's maps where Docker's structs have them. */
function withGoMaps(object: Described): Described {
  if ("State" in object) return containerForTemplates(object);
  if ("IPAM" in object) return networkForTemplates(object);
  return "Mountpoint" in object ? volumeForTemplates(object) : forTemplates(object);
}

type Described = Readonly<Record<string, unknown>>;

/** The first object of that name, of the kind that is asked for, or of any. */
async function describeObject(
  store: Varve,
  name: string,
  { type, size }: { readonly type: string; readonly size: boolean },
): Promise<Readonly<Record<string, unknown>>> {
  const looks: readonly (readonly [string, () => Described | Promise<Described>])[] = [
    ["container", async () => await describeContainer(await store.containers.get(name), store, { size })],
    ["image", async () => describeImage(await store.images.inspect(name))],
    ["network", () => describeNetwork(store, name)],
    ["volume", () => describeVolume(store, name)],
  ];
  for (const [kind, look] of looks) {
    if (type !== "" && type !== kind) continue;
    try {
      return await look();
    } catch (error) {
      if (!isVarveError(error) || error.kind !== "not-found" || type !== "") throw error;
    }
  }
  throw new VarveError("IMAGE_NOT_FOUND", `No such ${type === "" ? "object" : type}: ${name}`);
}

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
