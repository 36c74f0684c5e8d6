import { resolve } from "node:path";
import { VarveError } from "../../errors/index.ts";
import type { CacheExport, CacheImport } from "../../engine/index.ts";
import { cut } from "../flags.ts";
import { splitCsv } from "../format/csv.ts";
import { optional } from "../store.ts";

/** Backends of BuildKit that need a service of their own (Q04-Q06). */
const services = ["gha", "s3", "azblob"];
const hint = "there are registry, local and inline";

/** What each type takes (Q01-Q03). */
const importAttributes = {
  registry: ["ref", "registry.insecure", "mounts"],
  local: ["src", "tag", "digest", "mounts"],
} as const;
const packing = [
  "mode",
  "ignore-error",
  "image-manifest",
  "oci-mediatypes",
  "compression",
  "compression-level",
  "force-compression",
  "mounts",
];
const exportAttributes = {
  registry: ["ref", "registry.insecure", ...packing],
  local: ["dest", "tag", "reset", ...packing],
  inline: ["mode", "ignore-error"],
} as const;

interface Where {
  readonly cwd: string;
}

/** The values of `--cache-from` (B08): `type=…,key=value` in CSV, or names of images alone. */
export function parseCacheImports(values: readonly string[], { cwd }: Where): readonly CacheImport[] {
  const flag = "--cache-from";
  return values
    .filter((value) => value !== "")
    .flatMap((value) => {
      const fields = splitCsv(value, flag);
      if (!fields.some((field) => field.includes("="))) return fields.map((ref): CacheImport => ({ type: "registry", ref }));
      const given = readFields(fields, value, flag);
      const type = takeType(given, value, flag);
      if (type !== "registry" && type !== "local") throw unknownType(type, flag, type === "inline");
      refuseStrangers(given, importAttributes[type], type, flag);
      const text = textsOf(given, flag);
      if (type === "registry")
        return [
          {
            type,
            ref: text.need("ref", type),
            ...optional("insecure", text.bool("registry.insecure")),
            ...optional("mounts", text.names("mounts")),
          },
        ];
      const src = resolve(cwd, text.need("src", type));
      return [
        {
          type,
          src,
          ...optional("tag", given.get("tag")),
          ...optional("digest", given.get("digest")),
          ...optional("mounts", text.names("mounts")),
        },
      ];
    });
}

/** The values of `--cache-to` (B08): `type=…,key=value` in CSV, or names of images alone. */
export function parseCacheExports(values: readonly string[], { cwd }: Where): readonly CacheExport[] {
  const flag = "--cache-to";
  return values
    .filter((value) => value !== "")
    .flatMap((value) => {
      const fields = splitCsv(value, flag);
      if (!fields.some((field) => field.includes("="))) return fields.map((ref): CacheExport => ({ type: "registry", ref }));
      return [parseExport(readFields(fields, value, flag), { value, flag, cwd })];
    });
}

function parseExport(given: Map<string, string>, { value, flag, cwd }: Where & { value: string; flag: string }): CacheExport {
  const type = takeType(given, value, flag);
  if (type !== "registry" && type !== "local" && type !== "inline") throw unknownType(type, flag, false);
  refuseStrangers(given, exportAttributes[type], type, flag);
  const text = textsOf(given, flag);
  const mode = text.oneOf("mode", ["min", "max"]);
  const ignoring = optional("ignoreError", text.bool("ignore-error"));
  if (type === "inline") {
    if (mode === "max")
      throw new VarveError("USAGE", "an inline cache has mode=min only: an image carries its own layers and no others", {
        hint: "write the cache to type=registry with a ref of its own for mode=max",
      });
    return { type, ...ignoring };
  }
  const compression = text.oneOf("compression", ["gzip", "zstd", "uncompressed"]);
  const common = {
    ...ignoring,
    ...optional("mode", mode),
    ...optional("imageManifest", text.bool("image-manifest")),
    ...optional("ociMediaTypes", text.bool("oci-mediatypes")),
    ...optional("compression", compression),
    ...optional("compressionLevel", text.level("compression-level", compression ?? "gzip")),
    ...optional("forceCompression", text.bool("force-compression")),
    ...optional("mounts", text.names("mounts")),
  };
  if (common.imageManifest === true && common.ociMediaTypes === false) {
    throw new VarveError("USAGE", `${flag}: image-manifest=true needs oci-mediatypes=true`);
  }
  if (type === "registry")
    return { type, ref: text.need("ref", type), ...optional("insecure", text.bool("registry.insecure")), ...common };
  const dest = resolve(cwd, text.need("dest", type));
  return { type, dest, ...optional("tag", given.get("tag")), ...optional("reset", text.bool("reset")), ...common };
}

function readFields(fields: readonly string[], value: string, flag: string): Map<string, string> {
  const given = new Map<string, string>();
  for (const field of fields) {
    const [key, text] = cut(field, "=");
    if (text === undefined) throw new VarveError("USAGE", `${flag}: invalid value ${field} in ${value}: expected key=value`);
    given.set(key.trim().toLowerCase(), text);
  }
  return given;
}

function takeType(given: Map<string, string>, value: string, flag: string): string {
  const type = given.get("type");
  given.delete("type");
  if (type === undefined || type === "") throw new VarveError("USAGE", `${flag}: a type is required in "${value}"`, { hint });
  return type;
}

function unknownType(type: string, flag: string, isExportOnly: boolean): VarveError {
  if (isExportOnly) {
    return new VarveError("USAGE", `${flag} type=inline does not exist: inline caches are read as type=registry,ref=IMAGE`);
  }
  return services.includes(type)
    ? new VarveError("NOT_SUPPORTED_YET", `${flag} type=${type} is not supported`, { hint })
    : new VarveError("USAGE", `${flag}: unknown type ${JSON.stringify(type)}`, { hint });
}

function refuseStrangers(given: ReadonlyMap<string, string>, known: readonly string[], type: string, flag: string): void {
  const stranger = [...given.keys()].find((key) => !known.includes(key));
  if (stranger === undefined) return;
  throw new VarveError("USAGE", `${flag} type=${type}: unknown attribute ${JSON.stringify(stranger)}`, {
    hint: `there are ${known.join(", ")}`,
  });
}

function textsOf(given: ReadonlyMap<string, string>, flag: string) {
  const wrong = (key: string, expected: string): VarveError =>
    new VarveError("USAGE", `${flag}: ${key}=${given.get(key)} is none of ${expected}`);
  return {
    need(key: string, type: string): string {
      const value = given.get(key);
      if (value === undefined || value === "") throw new VarveError("USAGE", `${flag} type=${type} requires ${key}`);
      return value;
    },
    bool(key: string): boolean | undefined {
      const value = given.get(key);
      if (value === undefined) return undefined;
      if (/^(?:1|t|T|true|TRUE|True)$/.test(value)) return true;
      if (/^(?:0|f|F|false|FALSE|False)$/.test(value)) return false;
      throw wrong(key, "true, false");
    },
    /** A truth value, or names with semicolons between them: a comma ends the attribute. */
    names(key: string): boolean | readonly string[] | undefined {
      const value = given.get(key);
      if (value === undefined || /^(?:1|t|T|true|TRUE|True|0|f|F|false|FALSE|False|)$/.test(value)) return this.bool(key);
      return value.split(";").filter((name) => name !== "");
    },
    oneOf<T extends string>(key: string, values: readonly T[]): T | undefined {
      const value = given.get(key);
      if (value === undefined) return undefined;
      if (key === "compression" && value === "estargz")
        throw new VarveError("NOT_SUPPORTED_YET", `${flag}: compression=estargz is not supported`, {
          hint: `there are ${values.join(", ")}`,
        });
      const found = values.find((one) => one === value);
      if (found === undefined) throw wrong(key, values.join(", "));
      return found;
    },
    level(key: string, compression: "gzip" | "zstd" | "uncompressed"): number | undefined {
      const value = given.get(key);
      if (value === undefined) return undefined;
      const max = compression === "zstd" ? 22 : 9;
      if (!/^\d{1,2}$/.test(value) || Number(value) > max) throw wrong(key, `0 to ${max}`);
      return Number(value);
    },
  };
}
