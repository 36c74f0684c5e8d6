import { isAbsolute, posix, resolve } from "node:path";
import type { MountRequest } from "../../containers/index.ts";
import { VarveError } from "../../errors/index.ts";
import { parseSize } from "../../units/index.ts";
import { cut } from "../flags.ts";
import type { Io } from "../io.ts";
import { readCsvLine, usage, wrongValue } from "./flag-values.ts";

/** Fields while they are read. */
interface Fields {
  readonly type: string;
  readonly source?: string;
  readonly target?: string;
  readonly readonly: boolean;
  readonly bind?: { readonly propagation?: string; readonly nonRecursive?: boolean };
  readonly volume?: {
    readonly noCopy?: boolean;
    readonly subpath?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly options?: Readonly<Record<string, string>>;
  };
  readonly tmpfs?: { readonly bytes?: number; readonly mode?: number };
}

const booleans = new Set(["readonly", "ro", "volume-nocopy", "bind-nonrecursive"]);

/** `--mount NAME=VALUE,…` (Docker docs, "docker run", "--mount"). */
export function readMount(text: string, { cwd }: Pick<Io, "cwd">): MountRequest {
  const wrong = (why: string): VarveError => wrongValue(text, "--mount", why);
  let fields: Fields = { type: "volume", readonly: false };
  for (const field of readCsvLine(text.trim(), wrong)) {
    const [key, value] = cut(field, "=");
    const name = key.trim().toLowerCase();
    if (value === undefined && !booleans.has(name)) throw wrong(`invalid field '${field}' must be a key=value pair`);
    fields = { ...fields, ...readField(fields, name, value ?? "true", { field, cwd, wrong }) };
  }
  return check(fields, wrong);
}

function readField(
  { bind, volume, tmpfs }: Fields,
  name: string,
  value: string,
  { field, cwd, wrong }: { readonly field: string; readonly cwd: string; readonly wrong: (why: string) => VarveError },
): Partial<Fields> {
  const bool = (): boolean => {
    if (/^(?:1|t|T|TRUE|true|True)$/.test(value)) return true;
    if (/^(?:0|f|F|FALSE|false|False)$/.test(value)) return false;
    throw wrong(`invalid value for ${name}: ${value}`);
  };
  const pair = (): Record<string, string> => {
    const [key, given = ""] = cut(value, "=");
    return key === "" ? {} : { [key]: given };
  };
  switch (name) {
    case "type":
      return { type: value.toLowerCase() };
    case "source":
    case "src":
      return { source: value.startsWith(".") ? resolve(cwd, value) : value };
    case "target":
    case "dst":
    case "destination":
      return { target: value };
    case "readonly":
    case "ro":
      return { readonly: bool() };
    case "consistency":
      return {}; // of machines that are not Linux
    case "bind-propagation":
      return { bind: { ...bind, propagation: value.toLowerCase() } };
    case "bind-nonrecursive":
      return { bind: { ...bind, nonRecursive: bool() } };
    case "bind-recursive":
      return { bind: { ...bind, nonRecursive: readRecursive(value, wrong) } };
    case "volume-nocopy":
      return { volume: { ...volume, noCopy: bool() } };
    case "volume-subpath":
      return { volume: { ...volume, subpath: value } };
    case "volume-label":
      return { volume: { ...volume, labels: { ...volume?.labels, ...pair() } } };
    case "volume-opt":
      return { volume: { ...volume, options: { ...volume?.options, ...pair() } } };
    case "volume-driver":
      if (value === "local") return { volume: { ...volume } };
      throw unsupported(`volume-driver=${value}`, "the driver is local");
    case "tmpfs-size": {
      const bytes = parseSize(value);
      if (bytes === undefined) throw wrong(`invalid value for ${name}: ${value}`);
      return { tmpfs: { ...tmpfs, bytes } };
    }
    case "tmpfs-mode":
      if (!/^[0-7]+$/.test(value)) throw wrong(`invalid value for ${name}: ${value}`);
      return { tmpfs: { ...tmpfs, mode: Number.parseInt(value, 8) } };
    case "image-subpath":
      throw unsupported("image-subpath", "copy from the image with create and cp");
    default:
      throw wrong(`unexpected key '${name}' in '${field}'`);
  }
}

function readRecursive(value: string, wrong: (why: string) => VarveError): boolean {
  switch (value) {
    case "enabled":
    case "readonly": // what a read-only bind is anyway
      return false;
    case "disabled":
      return true;
    case "writable":
      throw unsupported("bind-recursive=writable", "what is mounted below a read-only bind is read-only, too");
    default:
      throw wrong(`invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`);
  }
}

const propagations: readonly string[] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

function check(fields: Fields, wrong: (why: string) => VarveError): MountRequest {
  const { type, source, target = "", readonly, bind, volume, tmpfs } = fields;
  if (type === "") throw wrong("type is required");
  if (target === "") throw wrong("target is required");
  if (type !== "bind" && bind !== undefined) throw wrong(`cannot mix 'bind-*' options with mount type '${type}'`);
  if (type !== "volume" && volume !== undefined) throw wrong(`cannot mix 'volume-*' options with mount type '${type}'`);
  if (type !== "tmpfs" && tmpfs !== undefined) throw wrong(`cannot mix 'tmpfs-*' options with mount type '${type}'`);
  const invalid = (why: string): VarveError => usage(`invalid mount config for type "${type}": ${why}`);
  if (!isAbsolute(target)) throw invalid(`invalid mount path: '${target}' mount path must be absolute`);
  const place = posix.normalize(target).replace(/(.)\/+$/, "$1");
  if (place === "/") throw invalid("invalid specification: destination can't be '/'");
  switch (type) {
    case "bind": {
      if (source === undefined || source === "") throw invalid("field Source must not be empty");
      if (!isAbsolute(source)) throw invalid(`invalid mount path: '${source}' mount path must be absolute`);
      const { propagation, nonRecursive } = bind ?? {};
      if (propagation !== undefined && !propagations.includes(propagation))
        throw invalid(`invalid propagation mode: ${propagation}`);
      return {
        type,
        source,
        target: place,
        readonly,
        ...(propagation === undefined ? {} : { propagation: propagation as NonNullable<MountRequest["propagation"]> }),
        ...(nonRecursive === true ? { nonRecursive } : {}),
      };
    }
    case "volume":
      return {
        type,
        target: place,
        readonly,
        ...(source === undefined || source === "" ? {} : { source }),
        ...(volume?.noCopy === true ? { noCopy: true } : {}),
        ...(volume?.subpath === undefined ? {} : { subpath: volume.subpath }),
        ...(volume?.labels === undefined ? {} : { volumeLabels: volume.labels }),
        ...(volume?.options === undefined ? {} : { volumeOptions: volume.options }),
      };
    case "tmpfs":
      if (source !== undefined) throw invalid("field Source must not be specified");
      return {
        type,
        target: place,
        readonly,
        ...(tmpfs?.bytes === undefined ? {} : { tmpfsBytes: tmpfs.bytes }),
        ...(tmpfs?.mode === undefined ? {} : { tmpfsMode: tmpfs.mode }),
      };
    case "image":
      if (source === undefined || source === "") throw invalid("field Source must not be empty");
      return { type, source, target: place, readonly: true };
    case "npipe":
    case "cluster":
      throw unsupported(`--mount type=${type}`, "there are bind, volume, tmpfs and image");
    default:
      throw invalid("mount type unknown");
  }
}

function unsupported(what: string, hint: string): VarveError {
  return new VarveError("CONTAINER_UNSUPPORTED", `${what} is not supported`, { hint });
}
