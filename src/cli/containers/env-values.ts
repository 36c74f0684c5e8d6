import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { VarveError } from "../../errors/index.ts";
import { readProxyArgs } from "../build/proxies.ts";
import { cut } from "../flags.ts";
import type { Io } from "../io.ts";
import { findDockerConfigDir } from "../store.ts";
import type { ContainerFlags } from "./container-flags.ts";
import { usage, wrongValue } from "./flag-values.ts";

/**
 * `NAME=value` of `--env-file` and then `--env`, with the environment's value where none is given and nothing where that has none; then
 * the proxies of Docker's config.json.
 */
export function readEnv(flags: Pick<ContainerFlags, "env" | "env-file">, io: Io): readonly string[] {
  const lookUp = (name: string): string | undefined => io.env[name];
  const env = flags.env.map((entry) => {
    const [name, value] = cut(entry, "=");
    if (name === "") throw wrongValue(entry, "-e, --env", `invalid environment variable: ${entry}`);
    const own = value ?? lookUp(name);
    return own === undefined ? name : `${name}=${own}`;
  });
  const given = [...flags["env-file"].flatMap((file) => readPairFile(file, io, lookUp)), ...env];
  const names = new Set(given.map((entry) => cut(entry, "=")[0]));
  const proxies = Object.entries(readProxyArgs(findDockerConfigDir(io, undefined)));
  return [...given, ...proxies.filter(([name]) => !names.has(name)).map(([name, value]) => `${name}=${value}`)];
}

/** Labels of `--label-file`, then `--label`. */
export function readLabels(
  flags: Pick<ContainerFlags, "label" | "label-file">,
  io: Io,
): Readonly<Record<string, string>> | undefined {
  for (const label of flags.label) {
    const [name] = cut(label, "=");
    if (name === "") throw wrongValue(label, "-l, --label", `invalid label '${label}': empty name`);
    if (/\s/.test(name)) throw wrongValue(label, "-l, --label", `label '${name}' contains whitespaces`);
  }
  const lines = [...flags["label-file"].flatMap((file) => readPairFile(file, io, () => undefined)), ...flags.label];
  if (lines.length === 0) return undefined;
  return Object.fromEntries(lines.map((line) => cut(line, "=")).map(([name, value]) => [name, value ?? ""]));
}

/** A file of `NAME=value` lines (Docker docs, "docker run", "Set environment variables"): `#` at the start of a line is a comment. */
function readPairFile(file: string, io: Io, lookUp: (name: string) => string | undefined): readonly string[] {
  const bytes = readFlagFile(file, io);
  const bad = (why: string): VarveError => usage(`invalid env file (${file}): ${why}`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new VarveError("USAGE", `invalid env file (${file}): invalid utf8 bytes`, { cause });
  }
  return text.split(/\r?\n/).flatMap((raw) => {
    const line = raw.trimStart();
    if (line === "" || line.startsWith("#")) return [];
    const [name, value] = cut(line, "=");
    if (name === "") throw bad(`no variable name on line '${line}'`);
    if (/[ \t]/.test(name)) throw bad(`variable '${name}' contains whitespaces`);
    const own = value ?? lookUp(name);
    return own === undefined ? [] : [`${name}=${own}`];
  });
}

/** What a flag's file holds; Docker's words where it cannot be read. */
export function readFlagFile(file: string, io: Pick<Io, "cwd">): Buffer {
  try {
    return readFileSync(resolve(io.cwd, file));
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const why = code === "ENOENT" ? "no such file or directory" : code === "EACCES" ? "permission denied" : String(code);
    throw new VarveError("USAGE", `open ${file}: ${why}`, { cause });
  }
}
