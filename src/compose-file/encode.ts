import { showDuration } from "./durations.ts";
import { toPrintable, type Printable } from "./emit-yaml.ts";
import { compareBytes, compareKeys } from "./natural-order.ts";
import type { Field, Kind, Shape } from "./shapes.ts";
import type { EnvFile } from "./types.ts";

export interface EncodeOptions {
  /** JSON, also for the hash, leaves out extensions and has some fields that are not set. */
  readonly form: "yaml" | "json";
}

/** A part of the model as it is printed: fields in the order of the shape, numbers with a unit as texts. */
export function encodeStruct(
  model: Readonly<Record<string, unknown>>,
  shape: Shape,
  options: EncodeOptions,
): ReadonlyMap<string, Printable> {
  const printed = new Map<string, Printable>();
  for (const field of shape.fields) {
    const value = model[field.key];
    const key = options.form === "json" ? (field.jsonKey ?? field.key) : field.key;
    if (field.hidesZero === true && value === false) continue;
    if (value !== undefined) printed.set(key, encode(value, field.kind, options));
    else if (options.form === "json" && field.json !== undefined) printed.set(key, encodeMissing(field, options));
  }
  if (options.form === "json") return printed;
  const extensions = Object.entries(model).filter(([key]) => key.startsWith("x-"));
  for (const [key, value] of extensions.toSorted(([left], [right]) => compareKeys(left, right)))
    printed.set(key, toPrintable(value));
  return printed;
}

function encodeMissing({ kind, json }: Field, options: EncodeOptions): Printable {
  return json === null || kind.is !== "struct" ? null : encodeStruct({}, kind.shape, options);
}

function encode(value: unknown, kind: Kind, options: EncodeOptions): Printable {
  // A variable that was not replaced stands where a value of any kind would
  if (typeof value === "string") return value;
  switch (kind.is) {
    case "bytes":
      return String(value);
    case "duration":
      return typeof value === "number" ? showDuration(value) : String(value);
    case "mode":
      return typeof value === "number" ? `0${value.toString(8)}` : String(value);
    case "list":
      return Array.isArray(value) ? value.map((item) => encode(item, kind.of, options)) : toPrintable(value, compareOf(options));
    case "map":
      return encodeMap(value, options, (part) => (part === null ? null : encode(part, kind.of, options)));
    case "envFile": {
      const { path, required } = value as EnvFile;
      // As the hash has it: a file that must be there is its path
      return options.form === "json" && required !== false ? path : encodeStruct({ ...(value as EnvFile) }, kind.shape, options);
    }
    case "struct":
      return value === null ? null : encodeStruct(value as Readonly<Record<string, unknown>>, kind.shape, options);
    case "ssh":
      return (value as readonly { readonly id: string; readonly path?: string }[]).map(({ id, path }) =>
        path === undefined ? id : `${id}: ${path}`,
      );
    case "ulimit":
      return typeof value === "object" && value !== null && "soft" in value && "hard" in value
        ? new Map([
            ["soft", value.soft as number],
            ["hard", value.hard as number],
          ])
        : (value as number);
    case "anything":
    case "command":
    case "deviceCount":
    case "environment":
    case "flag":
    case "float":
    case "healthTest":
    case "hosts":
    case "integer":
    case "pairs":
    case "text":
      return toPrintable(value, compareOf(options));
  }
}

function encodeMap(value: unknown, options: EncodeOptions, change: (part: unknown) => Printable): Printable {
  const compare = compareOf(options);
  const sorted = Object.entries(value as Readonly<Record<string, unknown>>).toSorted(([left], [right]) => compare(left, right));
  return new Map(sorted.map(([key, part]) => [key, change(part)]));
}

function compareOf({ form }: EncodeOptions): (left: string, right: string) => number {
  return form === "json" ? compareBytes : compareKeys;
}
