import { VarveError } from "../errors/index.ts";
import { parseSize } from "../units/index.ts";
import { readDuration } from "./durations.ts";
import { at, isNull, rangeOf, showPath, toPlain, type MapNode, type Node } from "./node.ts";
import type { Kind, Shape } from "./shapes.ts";
import type { ProjectWarning } from "./types.ts";
import { splitWords } from "./words.ts";

export interface DecodeOptions {
  /** False: a text with a variable in it is taken for any kind of value, as it stands. */
  readonly isInterpolated: boolean;
  readonly warn: (warning: ProjectWarning) => void;
}

type Path = readonly (string | number)[];

/**
 * A tree in long forms as the model's value. Texts that say a number, a switch, a size or a duration become it. Fails with
 * COMPOSE_INVALID at the place. Undefined where nothing is set.
 */
export function decodeStruct(node: Node, shape: Shape, path: Path, options: DecodeOptions): Readonly<Record<string, unknown>> {
  const model: Record<string, unknown> = {};
  if (node.kind !== "map") return model;
  for (const { key, kind, keepsZero, json } of shape.fields) {
    const value = node.entries.get(key)?.value;
    if (value === undefined || (isNull(value) && kind.is !== "struct")) continue;
    const decoded = decode(value, kind, [...path, key], options);
    const isNothing = isZero(decoded, kind) || (json !== undefined && json !== null && Object.keys(decoded ?? {}).length === 0);
    if (decoded !== undefined && (keepsZero === true || !isNothing)) model[key] = decoded;
  }
  for (const [key, { value }] of node.entries) if (key.startsWith("x-")) model[key] = toPlain(value);
  return model;
}

/** Every entry of a section. */
export function decodeSection(
  node: MapNode,
  shape: Shape,
  path: Path,
  options: DecodeOptions,
): Record<string, Readonly<Record<string, unknown>>> {
  const entries = [...node.entries].map(
    ([key, { value }]) => [key, decodeStruct(value, shape, [...path, key], options)] as const,
  );
  return Object.fromEntries(entries);
}

function isZero(value: unknown, kind: Kind): boolean {
  if (value === false || value === 0 || value === "") return true;
  // An empty command says that there is none, and an empty section of a mount which kind of mount it is
  if (kind.is === "command" || kind.is === "struct") return false;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function decode(node: Node, kind: Kind, path: Path, options: DecodeOptions): unknown {
  if (!options.isInterpolated && node.kind === "scalar" && typeof node.value === "string" && node.value.includes("$")) {
    return kind.is === "list" ? [node.value] : node.value;
  }
  const fail = (reason: string): VarveError => new VarveError("COMPOSE_INVALID", `${showPath(path)}: ${reason}`, at(node.place));
  const shown = JSON.stringify(toPlain(node));
  switch (kind.is) {
    case "text":
      return isNull(node) ? "" : scalarText(node);
    case "flag":
      return readFlag(node, path, options) ?? raise(fail(`invalid boolean: ${shown}`));
    case "integer":
    case "float": {
      const number = Number(node.kind === "scalar" ? node.value : Number.NaN);
      const isGood = kind.is === "float" ? Number.isFinite(number) : Number.isSafeInteger(number);
      return isGood && scalarText(node).trim() !== ""
        ? number
        : raise(fail(`${shown} is no ${kind.is === "float" ? "number" : "whole number"}`));
    }
    case "bytes":
      return readBytes(scalarText(node)) ?? raise(fail(`invalid size: ${shown}`));
    case "duration":
      return (
        readDuration(scalarText(node)) ??
        raise(fail(`invalid duration ${shown}: it is a number with a unit, such as 30s or 1m30s`))
      );
    case "mode": {
      const value = node.kind === "scalar" ? node.value : undefined;
      if (typeof value === "number") return value;
      return /^0?o?[0-7]+$/.test(scalarText(node))
        ? Number.parseInt(scalarText(node).replace(/^0?o/, ""), 8)
        : raise(fail(`${shown} is no file mode`));
    }
    case "deviceCount": {
      if (scalarText(node).toLowerCase() === "all") return -1;
      const count = Number(scalarText(node));
      return Number.isSafeInteger(count)
        ? count
        : raise(fail(`invalid value ${shown}, the only value allowed is 'all' or a number`));
    }
    case "command":
      return readCommand(node, path, options);
    case "healthTest":
      return node.kind === "list" ? node.items.map(scalarText) : ["CMD-SHELL", scalarText(node)];
    case "hosts":
      return node.kind === "list" ? node.items.map(scalarText).toSorted() : [];
    case "ssh":
      return sortedEntries(node).map(([id, value]) => (isNull(value) ? { id } : { id, path: scalarText(value) }));
    case "pairs":
      return Object.fromEntries(entriesOf(node).map(([key, value]) => [key, scalarText(value)]));
    case "environment":
      return Object.fromEntries(entriesOf(node).map(([key, value]) => [key, isNull(value) ? null : scalarText(value)]));
    case "list":
      return (node.kind === "list" ? node.items : [node]).map((item, index) => decode(item, kind.of, [...path, index], options));
    case "map": {
      const one = (key: string, value: Node): unknown =>
        kind.nullable === true && isNull(value) ? null : decode(value, kind.of, [...path, key], options);
      return Object.fromEntries(entriesOf(node).map(([key, value]) => [key, one(key, value)]));
    }
    case "envFile":
    case "struct":
      return isNull(node) ? undefined : decodeStruct(node, kind.shape, path, options);
    case "ulimit": {
      if (node.kind !== "map") return decode(node, { is: "integer" }, path, options);
      const part = (key: string): unknown =>
        decode(node.entries.get(key)?.value ?? node, { is: "integer" }, [...path, key], options);
      return { soft: part("soft"), hard: part("hard") };
    }
    case "anything":
      return toPlain(node);
  }
}

/** The texts by which Go prints the scalars of YAML. */
function scalarText(node: Node): string {
  if (node.kind !== "scalar" || node.value === null) return "";
  const { value } = node;
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  const [mantissa, exponent] = String(value).split("e");
  return exponent === undefined ? String(value) : `${mantissa}e${exponent.replace(/^([-+]?)(\d)$/, "$10$2")}`;
}

function readFlag(node: Node, path: Path, { warn }: DecodeOptions): boolean | undefined {
  const text = scalarText(node);
  const lower = text.toLowerCase();
  if (lower === "true" || lower === "false") return lower === "true";
  const isYes = ["y", "yes", "on"].includes(lower);
  if (!isYes && !["n", "no", "off"].includes(lower)) return undefined;
  const where = rangeOf(node.place);
  const message = `${JSON.stringify(text)} for boolean is not supported by YAML 1.2, please use \`${isYes}\``;
  warn(where === undefined ? { message } : { message, where });
  return isYes;
}

function readBytes(text: string): number | undefined {
  if (/^-?\d+$/.test(text)) return Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
  return parseSize(text);
}

function readCommand(node: Node, path: Path, { warn }: DecodeOptions): readonly string[] | undefined {
  if (node.kind === "list") return node.items.map(scalarText);
  const text = scalarText(node);
  const split = splitWords(text);
  if (split === undefined) {
    throw new VarveError("COMPOSE_INVALID", `${showPath(path)}: invalid command line string`, {
      ...at(node.place),
      hint: "close its quotes, or write the command as a list",
    });
  }
  if (split.dropped !== undefined) {
    const where = rangeOf(node.place);
    const message = `${showPath(path)}: no shell reads this, and ${JSON.stringify(split.dropped)} is left out; write sh -c '…' for a shell`;
    warn(where === undefined ? { message } : { message, where });
  }
  return split.words;
}

const entriesOf = (node: Node): readonly (readonly [string, Node])[] =>
  node.kind === "map" ? [...node.entries].map(([key, { value }]) => [key, value] as const) : [];

const sortedEntries = (node: Node): readonly (readonly [string, Node])[] =>
  entriesOf(node).toSorted(([left], [right]) => (left < right ? -1 : 1));

function raise(error: VarveError): never {
  throw error;
}
