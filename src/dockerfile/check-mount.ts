import { posix } from "node:path";
import { VarveError, type SourceRange, didYouMean } from "../errors/index.ts";
import type { CheckedMount, RunMount } from "./instructions.ts";
import { parseSize } from "../units/index.ts";
import { parseBoolean, parseUnsigned } from "./numbers.ts";

const types = ["bind", "cache", "tmpfs", "secret", "ssh"] as const;
const sharings = ["shared", "private", "locked"] as const;
const aliases: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
  rw: "readwrite",
};
const keys = [
  ..."type from source target readonly readwrite id sharing required size mode uid gid env".split(" "),
  ...Object.keys(aliases),
];
/** The keys that may stand without a value. */
const bareKeys: ReadonlySet<string> = new Set(["readonly", "readwrite", "required"]);

/** The fields of one mount by their full key, later ones over earlier ones, and the last type. */
interface Fields {
  readonly type: CheckedMount["type"];
  readonly values: ReadonlyMap<string, string | undefined>;
  readonly fail: (message: string, hint?: string) => VarveError;
}

/**
 * Checks the fields of a `--mount` once the frontend has expanded their values (R01-R06), and makes a typed mount of
 * them. Keys may come in any order and repeat; the last one counts. A relative or empty `target` is left to the
 * frontend, which knows WORKDIR and must then refuse `/` itself; defaults that depend on the build stay undefined.
 *
 * Throws DOCKERFILE_MOUNT for unknown keys and types, values of the wrong shape, and keys that the type does not take.
 */
export function checkMount(mount: RunMount, options: { readonly where?: SourceRange } = {}): CheckedMount {
  const where = options.where ?? mount.where;
  const fields = readFields(mount, (message, hint) => {
    return new VarveError("DOCKERFILE_MOUNT", message, { where, ...(hint === undefined ? {} : { hint }) });
  });
  const { type, fail } = fields;
  refuseMisplaced(fields);
  const text = (key: string): string | undefined => fields.values.get(key) || undefined;
  const target = text("target");
  if (type === "secret" || type === "ssh") {
    const required = readFlag(fields, "required") ?? false;
    if (type === "secret") return readSecret(fields, required);
    if (text("source") !== undefined) throw fail("ssh does not support source");
    return { type, id: text("id"), target, required, ...readOwner(fields) };
  }
  if (target !== undefined && posix.normalize(target) === "/") {
    throw fail(`invalid mount target ${JSON.stringify(target)}`, "mount to a directory below /");
  }
  const readonly = readReadonly(fields);
  const [source, from] = [text("source"), text("from")];
  switch (type) {
    case "bind":
      return { type, target: target ?? "", source, from, readonly };
    case "tmpfs":
      return { type, target: target ?? "", size: readSize(fields), readonly };
    case "cache": {
      const sharing = readWord(fields, "sharing", sharings) ?? "shared";
      return { type, target: target ?? "", id: text("id"), sharing, from, source, ...readOwner(fields), readonly };
    }
  }
}

function readFields(mount: RunMount, fail: Fields["fail"]): Fields {
  const values = new Map<string, string | undefined>();
  for (const { key: written, value } of mount.fields) {
    const key = Object.hasOwn(aliases, written) ? aliases[written]! : written;
    const field = value === undefined ? written : `${written}=${value}`;
    if (!keys.includes(key)) {
      if (value === undefined) throw fail(`invalid field '${field}' must be a key=value pair${didYouMean(written, keys)}`);
      throw fail(`unexpected key '${written}' in '${field}'${didYouMean(written, keys)}`);
    }
    if (value === undefined && !bareKeys.has(key)) throw fail(`invalid field '${field}' must be a key=value pair`);
    // one Map entry for both, so that the later of `ro` and `rw` wins
    if (key === "readwrite" || key === "readonly") {
      const given = value === undefined ? true : parseBoolean(value);
      if (given === undefined) throw fail(`invalid value for ${written}: ${value}`);
      values.set("readonly", String(given === (key === "readonly")));
    } else values.set(key, value);
  }
  const fields = { type: "bind" as const, values, fail };
  return { ...fields, type: readWord(fields, "type", types) ?? "bind" };
}

/** Keys that only some types take. Others that mean nothing to a type pass, as they do in BuildKit. */
function refuseMisplaced({ type, values, fail }: Fields): void {
  const owned = type === "secret" || type === "ssh" || type === "cache";
  for (const key of ["mode", "uid", "gid"]) {
    if (values.has(key) && !owned) throw fail(`${key} not allowed for "${type}" type mounts`);
  }
  if (values.has("required") && type !== "secret" && type !== "ssh") {
    throw fail(`unexpected key 'required' for mount type '${type}'`);
  }
  if (values.has("size") && type !== "tmpfs") throw fail(`unexpected key 'size' for mount type '${type}'`);
  if (type === "secret" && values.get("from")) throw fail("secret mount should not have a from");
  if (values.has("sharing") && type !== "cache") {
    throw fail(type === "secret" ? "secret mount should not define sharing" : `invalid cache sharing set for ${type} mount`);
  }
}

/** The id falls back to the source, then to the last part of the target; an empty `env` means the id (R04). */
function readSecret(fields: Fields, required: boolean): CheckedMount {
  const { values, fail } = fields;
  const source = values.get("source") || undefined;
  const target = values.get("target") || undefined;
  if (source !== undefined && values.get("id")) throw fail("both source and id can't be set");
  const id = source ?? (values.get("id") || (target === undefined ? undefined : posix.basename(target)));
  if (id === undefined) throw fail("invalid secret mount. one of source, target required", "add id=NAME");
  const env = values.has("env") ? values.get("env") || id : undefined;
  return { type: "secret", id, target, env, required, ...readOwner(fields) };
}

function readOwner(fields: Fields): { mode: number | undefined; uid: number | undefined; gid: number | undefined } {
  const read = (key: string, base: 8 | 10): number | undefined => {
    const text = fields.values.get(key);
    if (text === undefined) return undefined;
    const value = parseUnsigned(text, base);
    if (value === undefined) throw fields.fail(`invalid value ${text} for ${key}`);
    return value;
  };
  return { mode: read("mode", 8), uid: read("uid", 10), gid: read("gid", 10) };
}

/** Bind mounts are read-only by default, cache and tmpfs mounts writable. */
function readReadonly(fields: Fields): boolean {
  return readFlag(fields, "readonly") ?? fields.type === "bind";
}

function readFlag({ values, fail }: Fields, key: string): boolean | undefined {
  if (!values.has(key)) return undefined;
  const text = values.get(key);
  const flag = text === undefined ? true : parseBoolean(text);
  if (flag === undefined) throw fail(`invalid value for ${key}: ${text}`);
  return flag;
}

function readSize({ values, fail }: Fields): number {
  const text = values.get("size");
  if (text === undefined) return 0;
  const size = parseSize(text);
  if (size === undefined) throw fail(`invalid value for size: ${text}`, "sizes look like 64m, 1g or 1048576");
  return size;
}

function readWord<T extends string>({ values, fail }: Fields, key: "type" | "sharing", words: readonly T[]): T | undefined {
  const text = values.get(key);
  if (text === undefined) return undefined;
  const word = words.find((candidate) => candidate === text.toLowerCase());
  if (word !== undefined) return word;
  const subject = key === "type" ? "mount type" : "sharing value";
  throw fail(`unsupported ${subject} ${JSON.stringify(text)}${didYouMean(text, words)}`);
}
