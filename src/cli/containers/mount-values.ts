import { isAbsolute, posix, resolve } from "node:path";
import type { MountRequest } from "../../containers/index.ts";
import { VarveError } from "../../errors/index.ts";
import { cut } from "../flags.ts";
import type { Io } from "../io.ts";
import type { ContainerFlags } from "./container-flags.ts";
import { readMount } from "./mount-flag.ts";
import { usage } from "./flag-values.ts";

/** The mounts of `-v`, `--mount` and `--tmpfs`; of two with one target the later kind wins, as in Docker. */
export function readMounts(
  flags: Pick<ContainerFlags, "volume" | "mount" | "tmpfs">,
  io: Pick<Io, "cwd">,
): readonly MountRequest[] {
  const mounts = [
    ...flags.volume.map((value) => readVolume(value, io)),
    ...flags.mount.map((value) => readMount(value, io)),
    ...flags.tmpfs.map(readTmpfs),
  ];
  return [...new Map(mounts.map((mount) => [mount.target, mount])).values()];
}

const modes = new Map(
  Object.entries({
    rw: "access",
    ro: "access",
    z: "label",
    Z: "label",
    private: "propagation",
    rprivate: "propagation",
    shared: "propagation",
    rshared: "propagation",
    slave: "propagation",
    rslave: "propagation",
    nocopy: "copy",
    consistent: "consistency",
    cached: "consistency",
    delegated: "consistency",
    default: "consistency",
  }),
);

/** `-v [SOURCE:]TARGET[:OPTION,…]`. Labels of SELinux and consistency have no meaning here, as in Docker on a machine without SELinux. */
function readVolume(text: string, { cwd }: Pick<Io, "cwd">): MountRequest {
  if (text === "") throw usage("invalid empty volume spec");
  const parts = text.split(":");
  if (parts.includes("")) throw usage(`invalid spec: ${text}: empty section between colons`);
  if (parts.length > 3) throw invalid(text);
  const [source, target, mode = ""] = parts.length === 1 ? [undefined, text] : parts;
  const options = mode === "" ? [] : mode.split(",");
  const kinds = options.map((option) => modes.get(option));
  if (kinds.includes(undefined) || new Set(kinds).size < kinds.length) throw usage(`invalid mode: ${mode}`);
  const place = source === undefined ? undefined : placeOf(source, cwd);
  const type = place !== undefined && isAbsolute(place) ? "bind" : "volume";
  const fail = (why: string): VarveError => invalid(text, `: invalid mount config for type "${type}": ${why}`);
  const noCopy = options.includes("nocopy");
  const propagation = options.find((option) => modes.get(option) === "propagation") as MountRequest["propagation"];
  if (type === "bind" && noCopy) throw fail("field VolumeOptions must not be specified");
  if (type === "volume" && propagation !== undefined) throw fail("field BindOptions must not be specified");
  return {
    type,
    ...(place === undefined ? {} : { source: place }),
    target: targetOf(target ?? "", fail),
    readonly: options.includes("ro"),
    ...(type === "bind" ? { createSource: true } : {}),
    ...(noCopy ? { noCopy } : {}),
    ...(propagation === undefined ? {} : { propagation }),
  };
}

/** What starts with a dot is a path; other relative ones are names of volumes. */
function placeOf(source: string, cwd: string): string {
  if (source.startsWith(".")) return resolve(cwd, source);
  return isAbsolute(source) ? posix.normalize(source).replace(/(.)\/+$/, "$1") : source;
}

function targetOf(target: string, fail: (why: string) => VarveError): string {
  if (!isAbsolute(target)) throw fail(`invalid mount path: '${target}' mount path must be absolute`);
  const clean = posix.normalize(target).replace(/(.)\/+$/, "$1");
  if (clean === "/") throw fail("invalid specification: destination can't be '/'");
  return clean;
}

function invalid(text: string, why = ""): VarveError {
  return usage(`invalid volume specification: '${text}'${why}`);
}

const tmpfsOptions =
  /^(?:(?:size|nr_blocks|nr_inodes|mode|uid|gid|mpol|huge)=.+|ro|rw|(?:no)?(?:exec|suid|dev|atime|diratime|relatime|strictatime)|a?sync|r?(?:private|shared|slave|unbindable))$/;

/** `--tmpfs TARGET[:OPTION,…]`. */
function readTmpfs(text: string): MountRequest {
  const [target, data = ""] = cut(text, ":");
  const options = data === "" ? [] : data.split(",");
  for (const option of options) if (!tmpfsOptions.test(option)) throw usage(`invalid tmpfs option "${option}"`);
  return {
    type: "tmpfs",
    target: targetOf(target, (why) => usage(why)),
    readonly: options.includes("ro"),
    tmpfsOptions: options.filter((option) => option !== "ro"),
  };
}
