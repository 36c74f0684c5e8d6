import { VarveError } from "../../errors/index.ts";
import type { ImageOutput, ImageSettings } from "../../engine/index.ts";
import { optional } from "../store.ts";
import { parseAnnotationKey } from "./annotations.ts";

/** The attributes of one output. Each is read once; what nothing reads is an error. */
export interface Attributes {
  text(key: string): string | undefined;
  /** As Go reads booleans; an empty value is true. */
  bool(key: string): boolean | undefined;
  /** `source-date-epoch` in seconds; an empty value takes the build's away. */
  epoch(): number | null | undefined;
  mode(): "copy" | "delete" | undefined;
  /** Those that all kinds of images share (E20 to E29). */
  image(): ImageSettings;
  /** Those of the image store and of registries (E01). */
  store(): Omit<ImageOutput, "type" | "push">;
  /** Reads an attribute that is about attestations, of which there are none. */
  withoutEffect(key: string): object;
  /** Fails for what was not read. */
  finish(): void;
}

const compressions = ["gzip", "zstd", "uncompressed"] as const;
/** Highest levels. */
const levels = { gzip: 9, zstd: 22, uncompressed: 22 } as const;

export function createAttributes(type: string, given: Map<string, string>): Attributes {
  const text = (key: string): string | undefined => {
    const value = given.get(key);
    given.delete(key);
    return value;
  };
  const usage = (message: string, hint?: string): VarveError =>
    new VarveError("USAGE", message, hint === undefined ? {} : { hint });
  const bool = (key: string): boolean | undefined => {
    const value = text(key);
    if (value === undefined) return undefined;
    if (/^(1|t|T|TRUE|true|True|)$/.test(value)) return true;
    if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false;
    throw usage(`non-bool value "${value}" specified for ${key} of the output type ${type}`);
  };
  const list = (key: string): readonly string[] | undefined =>
    text(key)
      ?.split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
  const whole = (key: string, value: string): number => {
    if (/^-?\d{1,15}$/.test(value)) return Number(value);
    throw usage(`non-integer value "${value}" specified for ${key} of the output type ${type}`);
  };
  const epoch = (): number | null | undefined => {
    const value = text("source-date-epoch");
    return value === undefined ? undefined : value === "" ? null : whole("source-date-epoch", value);
  };
  const compression = (): (typeof compressions)[number] | undefined => {
    const value = text("compression");
    if (value === undefined) return undefined;
    const found = compressions.find((name) => name === value);
    if (found !== undefined) return found;
    if (value === "estargz")
      throw new VarveError("NOT_SUPPORTED_YET", "compression=estargz is not supported yet", {
        hint: `there are ${compressions.join(", ")}`,
      });
    throw usage(`unknown compression "${value}"`, `there are ${compressions.join(", ")}`);
  };
  const level = (compressed: (typeof compressions)[number]): number | undefined => {
    const value = text("compression-level");
    if (value === undefined) return undefined;
    const number = whole("compression-level", value);
    if (number >= 0 && number <= levels[compressed]) return number;
    throw usage(`compression-level=${value} is out of range`, `${compressed} takes 0 to ${levels[compressed]}`);
  };

  return {
    text,
    bool,
    epoch,
    mode() {
      const value = text("mode")?.trim().toLowerCase();
      if (value === undefined || value === "" || value === "copy") return undefined;
      if (value === "delete") return value;
      throw usage(`invalid local exporter mode "${value}"`, "there are copy and delete");
    },
    image() {
      const annotations = [...given.keys()].flatMap((key) => {
        const annotation = parseAnnotationKey(key, given.get(key) ?? "");
        if (annotation !== undefined) given.delete(key);
        return annotation ?? [];
      });
      const compressed = compression();
      const ociMediaTypes = bool("oci-mediatypes");
      if (bool("oci-artifact") === true && ociMediaTypes === false)
        throw usage('exporter option "oci-artifact=true" conflicts with "oci-mediatypes=false"');
      bool("attestation-inline");
      const rewriteTimestamp = bool("rewrite-timestamp");
      const unpack = type === "oci" || type === "docker" ? undefined : bool("unpack");
      if (unpack === true && rewriteTimestamp === true)
        throw usage('exporter option "rewrite-timestamp" conflicts with "unpack"');
      return {
        ...optional("names", list("name")),
        ...optional("compression", compressed),
        ...optional("compressionLevel", level(compressed ?? "gzip")),
        ...optional("forceCompression", bool("force-compression")),
        ...optional("ociMediaTypes", ociMediaTypes),
        ...optional("preferNondistLayers", bool("prefer-nondist-layers")),
        ...optional("rewriteTimestamp", rewriteTimestamp),
        ...optional("unpack", unpack),
        ...optional("sourceDateEpoch", epoch()),
        ...(annotations.length === 0 ? {} : { annotations }),
      };
    },
    store() {
      return {
        ...optional("pushByDigest", bool("push-by-digest")),
        ...optional("insecure", bool("registry.insecure")),
        ...optional("store", bool("store")),
        ...optional("danglingNamePrefix", text("dangling-name-prefix")),
        ...optional("danglingNameEmptyOnly", bool("danging-name-empty-only")),
        ...optional("nameCanonical", bool("name-canonical")),
      };
    },
    withoutEffect(key) {
      given.delete(key);
      return {};
    },
    finish() {
      const [unknown] = given.keys();
      if (unknown !== undefined) throw usage(`unknown attribute "${unknown}" of the output type ${type}`);
    },
  };
}
