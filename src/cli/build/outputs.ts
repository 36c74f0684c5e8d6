import { resolve } from "node:path";
import { VarveError } from "../../errors/index.ts";
import type { ByteSink, Output } from "../../engine/index.ts";
import { cut } from "../flags.ts";
import { splitCsv } from "../format/csv.ts";
import { optional } from "../store.ts";

export interface OutputContext {
  readonly cwd: string;
  readonly stdoutIsTerminal: boolean;
  readonly stdout: ByteSink;
}

/** What each output type takes today. BuildKit's exporters have more (features E01 to E36). */
const attributes: Readonly<Record<Output["type"], readonly string[]>> = {
  image: ["name"],
  oci: ["name", "compression"],
  docker: ["name", "compression"],
  tar: [],
  local: [],
  cacheonly: [],
};

/** Attributes that change nothing when they ask for what Varve does anyway. */
const givenAnyway: Readonly<Record<string, readonly string[]>> = {
  push: ["false"],
  store: ["true"],
  tar: ["true"],
  mode: ["copy"],
  "platform-split": ["false"],
  "force-compression": ["false"],
  "rewrite-timestamp": ["false"],
  "attestation-inline": ["false"],
};

/** Attributes that BuildKit has and Varve does not yet. */
const later = new Set(
  (
    "push push-by-digest registry.insecure unpack store dangling-name-prefix danging-name-empty-only name-canonical tar context mode " +
    "platform-split attestation-prefix compression compression-level force-compression oci-mediatypes oci-artifact attestation-inline " +
    "prefer-nondist-layers rewrite-timestamp source-date-epoch prefer-image-digest name"
  ).split(" "),
);

const compressions = ["gzip", "zstd", "uncompressed"] as const;

/**
 * The outputs that the values of `-o` name (B19): `type=…,key=value` in CSV; a bare path is a folder; `-` is a tar on
 * stdout. `type=docker` without a place is the image store.
 */
export function parseOutputs(values: readonly string[], context: OutputContext): readonly Output[] {
  const outputs = values.filter((value) => value !== "").map((value) => parseOutput(value, context));
  if (outputs.filter((output) => "dest" in output && output.dest === context.stdout).length > 1) {
    throw new VarveError("USAGE", "multiple outputs configured to write to stdout");
  }
  return outputs;
}

function parseOutput(text: string, context: OutputContext): Output {
  const fields = splitCsv(text, "-o, --output");
  const [only = ""] = fields;
  if (fields.length === 1 && only === text && !text.startsWith("type=")) {
    return text === "-" ? { type: "tar", dest: stdoutOf("tar", context) } : { type: "local", dest: resolve(context.cwd, text) };
  }
  const given = new Map<string, string>();
  for (const field of fields) {
    const [key, value] = cut(field, "=");
    if (value === undefined)
      throw new VarveError("USAGE", `invalid output "${text}": ${field} has no value`, { hint: "write type=TYPE,key=value" });
    given.set(key.trim().toLowerCase(), value);
  }
  const type = parseType(given.get("type"), text);
  const dest = given.get("dest");
  given.delete("type");
  given.delete("dest");
  for (const [key, value] of given) checkAttribute(type, key, value);

  switch (type) {
    case "local":
      if (dest === undefined || dest === "") throw new VarveError("USAGE", "dest is required for the local output");
      if (dest === "-") throw new VarveError("USAGE", "dest cannot be stdout for the local output", { hint: "use type=tar" });
      return { type, dest: resolve(context.cwd, dest) };
    case "tar":
      return { type, dest: fileOf(type, dest, context) };
    case "oci":
    case "docker": {
      const names = parseNames(given.get("name"));
      if (type === "docker" && (dest === undefined || dest === "")) return { type: "image", ...names };
      return { type, dest: fileOf(type, dest, context), ...names, ...parseCompression(given.get("compression")) };
    }
    case "image":
    case "cacheonly":
      if (dest !== undefined) throw new VarveError("USAGE", `the output type ${type} takes no dest`);
      return type === "image" ? { type, ...parseNames(given.get("name")) } : { type };
  }
}

function parseType(type: string | undefined, text: string): Output["type"] {
  if (type === undefined || type === "") throw new VarveError("USAGE", `type is required for output "${text}"`);
  if (type === "registry")
    throw new VarveError("NOT_SUPPORTED_YET", "the output type=registry is not supported yet", {
      hint: "build with -t, then varve push",
    });
  const known = Object.keys(attributes) as Output["type"][];
  const found = known.find((name) => name === type);
  if (found === undefined)
    throw new VarveError("USAGE", `unknown output type "${type}"`, { hint: `there are ${known.join(", ")}` });
  return found;
}

function checkAttribute(type: Output["type"], key: string, value: string): void {
  if (attributes[type].includes(key)) return;
  if (givenAnyway[key]?.includes(value) === true) return;
  if (later.has(key) || key.startsWith("annotation")) {
    throw new VarveError("NOT_SUPPORTED_YET", `${key}=${value} of the output type ${type} is not supported yet`);
  }
  throw new VarveError("USAGE", `unknown attribute "${key}" of the output type ${type}`);
}

function parseNames(value: string | undefined): { readonly names?: readonly string[] } {
  return optional(
    "names",
    value?.split(",").filter((name) => name !== ""),
  );
}

function parseCompression(value: string | undefined): { readonly compression?: (typeof compressions)[number] } {
  if (value === undefined) return {};
  const found = compressions.find((name) => name === value);
  if (found !== undefined) return { compression: found };
  if (value === "estargz")
    throw new VarveError("NOT_SUPPORTED_YET", "compression=estargz is not supported yet", {
      hint: `there are ${compressions.join(", ")}`,
    });
  throw new VarveError("USAGE", `unknown compression "${value}"`, { hint: `there are ${compressions.join(", ")}` });
}

function fileOf(type: string, dest: string | undefined, context: OutputContext): string | ByteSink {
  return dest === undefined || dest === "" || dest === "-" ? stdoutOf(type, context) : resolve(context.cwd, dest);
}

function stdoutOf(type: string, context: OutputContext): ByteSink {
  if (!context.stdoutIsTerminal) return context.stdout;
  throw new VarveError("USAGE", `dest file is required for the ${type} output: refusing to write to a terminal`);
}
