import { statSync } from "node:fs";
import { resolve } from "node:path";
import { VarveError } from "../../errors/index.ts";
import type { ByteSink, ImageOutput, Output } from "../../engine/index.ts";
import { cut } from "../flags.ts";
import { splitCsv } from "../format/csv.ts";
import { optional } from "../store.ts";
import type { Annotations } from "./annotations.ts";
import { engineAddress, type EnginePlaces } from "./engine-address.ts";
import { checkLocalDelete } from "./local-delete.ts";
import { createAttributes, type Attributes } from "./output-attributes.ts";

export interface OutputContext extends EnginePlaces {
  readonly cwd: string;
  readonly stdoutIsTerminal: boolean;
  readonly stdout: ByteSink;
}

/** The other flags that say where results go. */
export interface OutputFlags {
  readonly push?: boolean;
  readonly load?: boolean;
  readonly annotations?: Annotations;
  /** `--allow buildx.local.delete`. */
  readonly allowDelete?: boolean;
}

const types = ["image", "registry", "oci", "docker", "tar", "local", "cacheonly"] as const;

/**
 * The outputs that the values of `-o` name (B19): `type=…,key=value` in CSV; a bare path is a folder; `-` is a tar on
 * stdout. `type=docker` without a place is the image store. `--push`, `--load` and `--annotation` add to them.
 */
export function parseOutputs(values: readonly string[], context: OutputContext, flags: OutputFlags = {}): readonly Output[] {
  const outputs = values.filter((value) => value !== "").map((value) => parseOutput(value, context));
  if (outputs.filter((output) => "dest" in output && output.dest === context.stdout).length > 1) {
    throw new VarveError("USAGE", "multiple outputs configured to write to stdout");
  }
  const local = outputs.find((output) => output.type === "local" && output.mode === "delete");
  if (local?.type === "local" && flags.allowDelete !== true) checkLocalDelete(local.dest, context.cwd);
  return annotate(withFlags(outputs, flags), flags.annotations ?? []);
}

/** `--push` sends every image of the outputs, or makes one to send; `--load` puts one into the image store (B15, B25). */
function withFlags(outputs: readonly Output[], { push = false, load = false }: OutputFlags): readonly Output[] {
  const pushed = push ? outputs.map((output) => (output.type === "image" ? { ...output, push } : output)) : outputs;
  const sent: readonly Output[] = push && !pushed.some(isImage) ? [...pushed, { type: "image", push }] : pushed;
  const isKept = sent.some((output) => isImage(output) && output.store !== false);
  return load && !isKept ? [...sent, { type: "image" }] : sent;
}

function annotate(outputs: readonly Output[], annotations: Annotations): readonly Output[] {
  if (annotations.length === 0) return outputs;
  if (outputs.length === 0) return [{ type: "image", annotations }];
  const takes = (output: Output): boolean => ["image", "oci", "docker"].includes(output.type);
  if (!outputs.some(takes)) throw new VarveError("USAGE", "--annotation needs an output that is an image");
  return outputs.map((output) =>
    output.type === "image" || output.type === "oci" || output.type === "docker"
      ? { ...output, annotations: [...(output.annotations ?? []), ...annotations] }
      : output,
  );
}

function isImage(output: Output): output is ImageOutput {
  return output.type === "image";
}

function parseOutput(text: string, context: OutputContext): Output {
  const fields = splitCsv(text, "-o, --output");
  const [only = ""] = fields;
  if (fields.length === 1 && only === text && !text.startsWith("type=")) {
    return text === "-"
      ? { type: "tar", dest: stdoutOf("tar", context) }
      : { type: "local", dest: folderOf("local", text, context) };
  }
  const given = new Map<string, string>();
  for (const field of fields) {
    const [key, value] = cut(field, "=");
    if (value === undefined)
      throw new VarveError("USAGE", `invalid output "${text}": ${field} has no value`, { hint: "write type=TYPE,key=value" });
    const name = key.trim();
    given.set(/^annotation/i.test(name) ? name : name.toLowerCase(), value);
  }
  const type = parseType(given.get("type"), text);
  const dest = given.get("dest");
  given.delete("type");
  given.delete("dest");
  const attributes = createAttributes(type, given);
  const output = readOutput(type, dest, attributes, context);
  attributes.finish();
  return output;
}

function readOutput(
  type: (typeof types)[number],
  dest: string | undefined,
  attributes: Attributes,
  context: OutputContext,
): Output {
  const split = () => ({
    ...optional("platformSplit", attributes.bool("platform-split")),
    ...optional("sourceDateEpoch", attributes.epoch()),
    ...attributes.withoutEffect("attestation-prefix"),
  });
  switch (type) {
    case "local":
      return { type, dest: folderOf(type, dest, context), ...optional("mode", attributes.mode()), ...split() };
    case "tar":
      return { type, dest: fileOf(type, dest, context), ...split() };
    case "oci":
    case "docker": {
      const engine = type === "docker" ? attributes.text("context") : undefined;
      const settings = attributes.image();
      const tar = attributes.bool("tar");
      if (type === "docker" && (dest === undefined || dest === ""))
        return engine === undefined
          ? { type: "image", ...settings }
          : { type, engine: engineAddress(engine, context), ...settings };
      if (engine !== undefined)
        throw new VarveError("USAGE", "an output goes to a file (dest) or to an engine (context), not to both");
      if (tar === false && type === "docker")
        throw new VarveError("USAGE", "tar=false is for the output type oci", { hint: "docker load reads archives" });
      const place = tar === false ? folderOf(type, dest, context) : fileOf(type, dest, context);
      return { type, dest: place, ...optional("tar", tar), ...settings };
    }
    case "image":
    case "registry": {
      if (dest !== undefined) throw new VarveError("USAGE", `the output type ${type} takes no dest`);
      const push = attributes.bool("push");
      return {
        type: "image",
        ...attributes.image(),
        ...attributes.store(),
        ...optional("push", type === "registry" ? true : push),
      };
    }
    case "cacheonly":
      if (dest !== undefined) throw new VarveError("USAGE", `the output type ${type} takes no dest`);
      return { type };
  }
}

function parseType(type: string | undefined, text: string): (typeof types)[number] {
  if (type === undefined || type === "") throw new VarveError("USAGE", `type is required for output "${text}"`);
  const found = types.find((name) => name === type);
  if (found === undefined)
    throw new VarveError("USAGE", `unknown output type "${type}"`, { hint: `there are ${types.join(", ")}` });
  return found;
}

function folderOf(type: string, dest: string | undefined, { cwd }: OutputContext): string {
  if (dest === undefined || dest === "") throw new VarveError("USAGE", `dest is required for the ${type} output`);
  if (dest === "-") throw new VarveError("USAGE", `dest cannot be stdout for the ${type} output`, { hint: "use type=tar" });
  const path = resolve(cwd, dest);
  if (kindOf(path) === "file") throw new VarveError("USAGE", `destination directory ${dest} is a file`);
  return path;
}

function fileOf(type: string, dest: string | undefined, context: OutputContext): string | ByteSink {
  if (dest === undefined || dest === "" || dest === "-") return stdoutOf(type, context);
  const path = resolve(context.cwd, dest);
  if (kindOf(path) === "folder") throw new VarveError("USAGE", `destination file ${dest} is a directory`);
  return path;
}

/** What cannot be looked at is told when it cannot be written. */
function kindOf(path: string): "file" | "folder" | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? undefined : found.isDirectory() ? "folder" : "file";
  } catch {
    return undefined;
  }
}

function stdoutOf(type: string, context: OutputContext): ByteSink {
  if (!context.stdoutIsTerminal) return context.stdout;
  throw new VarveError("USAGE", `dest file is required for the ${type} output: refusing to write to a terminal`);
}
