import { VarveError } from "../errors/index.ts";

/** One flag of a command. The table of a command's flags is its parser, its `--help` and its page in docs/cli.md. */
export interface FlagSpec {
  /** `list`: may be repeated. `csv`: may be repeated, and each value is a list with commas. */
  readonly kind: "bool" | "string" | "list" | "csv";
  readonly short?: string;
  readonly help: string;
  /** The value may be left out and is this one then: what follows the flag is no value of it, only `--flag=value` is. */
  readonly bare?: string;
  /** Taken for Docker's sake and not shown in `--help`. */
  readonly hidden?: boolean;
  /** Docker knows the flag; only these values take effect yet. Empty: none. Others are refused. */
  readonly only?: readonly string[];
}

export type FlagTable = Readonly<Record<string, FlagSpec>>;

/** What a command line said, typed by the table. A `bool` or `string` that was not given is undefined. */
export type FlagValues<T extends FlagTable> = {
  readonly [K in keyof T]: T[K]["kind"] extends "bool"
    ? boolean | undefined
    : T[K]["kind"] extends "string"
      ? string | undefined
      : readonly string[];
};

export interface ParsedFlags<T extends FlagTable> {
  readonly values: FlagValues<T>;
  readonly positionals: readonly string[];
  /** `--help` was given; nothing else was looked at after it. */
  readonly help: boolean;
}

export interface ParseOptions {
  /** Stop at the first argument that is no flag and leave the rest to the positionals. */
  readonly untilCommand?: boolean;
}

/**
 * Reads a command line as Docker's parser (spf13/pflag) does: `--flag=value`, `--flag value`, `-fvalue`, `-f=value`, `-f
 * value`, grouped short bools, `--` before arguments that look like flags. Fails with USAGE for what the table does not
 * have, and with NOT_SUPPORTED_YET for what only Docker has.
 */
export async function parseFlags<T extends FlagTable>(
  args: readonly string[],
  table: T,
  options: ParseOptions = {},
): Promise<ParsedFlags<T>> {
  const values: Record<string, boolean | string | string[] | undefined> = {};
  for (const [name, { kind }] of Object.entries(table)) values[name] = kind === "list" || kind === "csv" ? [] : undefined;
  const done = (positionals: readonly string[], help = false): ParsedFlags<T> => ({
    values: values as FlagValues<T>,
    positionals,
    help,
  });
  const names = namesByShort(table);
  const positionals: string[] = [];

  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg === "--") return done([...positionals, ...args.slice(index + 1)]);
    if (arg === "-" || !arg.startsWith("-")) {
      if (options.untilCommand === true) return done(args.slice(index));
      positionals.push(arg);
      continue;
    }
    if (arg.startsWith("--")) {
      const [name, inline] = cut(arg.slice(2), "=");
      if (name === "help") return done(positionals, true);
      const spec = ownSpec(table, name);
      if (spec === undefined) throw await unknownFlag(name, table);
      if (inline !== undefined) set(values, name, spec, inline, `--${name}`);
      else if (spec.kind === "bool" || spec.bare !== undefined) set(values, name, spec, spec.bare ?? "true", `--${name}`);
      else {
        refuseUnlessSupported(spec, undefined, `--${name}`);
        const value = args[++index];
        if (value === undefined) throw new VarveError("USAGE", `flag needs an argument: --${name}`);
        set(values, name, spec, value, `--${name}`);
      }
      continue;
    }
    for (let rest = arg.slice(1); rest !== "";) {
      const short = rest.slice(0, 1);
      rest = rest.slice(1);
      const name = names.get(short);
      const spec = name === undefined ? undefined : table[name];
      if (name === undefined || spec === undefined) {
        if (short === "h") return done(positionals, true);
        throw new VarveError("USAGE", `unknown shorthand flag: '${short}' in ${arg}`);
      }
      const shown = `-${short}, --${name}`;
      if (rest.startsWith("=")) {
        set(values, name, spec, rest.slice(1), shown);
        rest = "";
      } else if (spec.kind === "bool") set(values, name, spec, "true", shown);
      else {
        refuseUnlessSupported(spec, undefined, `--${name}`);
        const value = rest === "" ? args[++index] : rest;
        if (value === undefined) throw new VarveError("USAGE", `flag needs an argument: '${short}' in ${arg}`);
        set(values, name, spec, value, shown);
        rest = "";
      }
    }
  }
  return done(positionals);
}

function set(
  values: Record<string, boolean | string | string[] | undefined>,
  name: string,
  spec: FlagSpec,
  value: string,
  shown: string,
): void {
  refuseUnlessSupported(spec, value, `--${name}`);
  if (spec.kind === "string") values[name] = value;
  else if (spec.kind === "bool") values[name] = parseBool(value, shown);
  else {
    const list = values[name];
    if (Array.isArray(list)) list.push(...(spec.kind === "csv" ? value.split(",") : [value]));
  }
}

function refuseUnlessSupported(spec: FlagSpec, value: string | undefined, shown: string): void {
  if (spec.only === undefined) return;
  if (spec.only.length === 0) throw new VarveError("NOT_SUPPORTED_YET", `${shown} is not supported yet`);
  if (value === undefined || spec.only.includes(value)) return;
  throw new VarveError("NOT_SUPPORTED_YET", `${shown}=${value} is not supported yet`, {
    hint: `what is supported: ${spec.only.map((only) => `${shown}=${only}`).join(", ")}`,
  });
}

/** Go's `strconv.ParseBool`: what Docker takes after `--flag=`. */
function parseBool(text: string, shown: string): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  throw new VarveError("USAGE", `invalid argument "${text}" for "${shown}" flag: it is neither true nor false`);
}

async function unknownFlag(name: string, table: FlagTable): Promise<VarveError> {
  const { nearest } = await import("../dockerfile/index.ts");
  const near = nearest(
    name,
    Object.keys(table).filter((known) => table[known]?.hidden !== true),
  );
  return new VarveError("USAGE", `unknown flag: --${name}`, near === undefined ? {} : { hint: `did you mean --${near}?` });
}

function ownSpec(table: FlagTable, name: string): FlagSpec | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function namesByShort(table: FlagTable): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [name, { short }] of Object.entries(table)) if (short !== undefined) names.set(short, name);
  return names;
}

/** Splits at the first separator; the second part is undefined where there is none. */
export function cut(text: string, separator: string): readonly [before: string, after: string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
