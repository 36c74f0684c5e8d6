import { readFile } from "node:fs/promises";
import { basename, dirname, relative, resolve } from "node:path";
import type { CheckResult } from "../../engine/index.ts";
import { VarveError } from "../../errors/index.ts";
import { parsePairs } from "../build/values.ts";
import { defineCommand, type Call } from "../command.ts";
import { writeFileAside } from "../file-aside.ts";
import { formatLint, lintFormats, type LintFormat } from "../lint/format.ts";
import { optional } from "../store.ts";

const lintFlags = {
  "base-images": { kind: "bool", help: "Ask the store and the registries for base images, as a build does, and check them too" },
  "build-arg": { kind: "list", help: "Set build-time variables; without a value: the environment's" },
  fix: { kind: "bool", help: "Put right what can be without changing what the file builds; of stdin: the file goes to stdout" },
  format: { kind: "string", help: 'Format of the findings ("text", "json", "sarif", "github")' },
  "stdin-filename": { kind: "string", help: "Name of the file that comes from stdin; its folder's ignore file counts" },
  target: { kind: "string", help: "Look at this stage and what it needs (default: all)" },
  "unsafe-fixes": { kind: "bool", help: "With --fix: also what changes the image (MAINTAINER becomes a label)" },
} as const;

type LintCall = Call<typeof lintFlags>;

export const lint = defineCommand({
  usage: "[OPTIONS] [FILE | -]...",
  flags: lintFlags,
  args: { min: 0, max: Infinity },
  async run(call) {
    const { flags, io } = call;
    const format = readFormat(flags.format);
    if (flags["unsafe-fixes"] === true && flags.fix !== true) throw new VarveError("USAGE", "--unsafe-fixes needs --fix");
    const buildArgs = parsePairs(flags["build-arg"], { flag: "--build-arg", bare: (key) => io.env[key] });
    const names = call.args.length === 0 ? ["Dockerfile"] : call.args;
    if (names.filter((name) => name === "-").length > 1) throw new VarveError("USAGE", "stdin can be read only once");
    const results: CheckResult[] = [];
    for (const name of names) results.push(await lintFile(name, buildArgs, call));
    // findings give way to the fixed file on stdout
    const output = flags.fix === true && names.includes("-") ? io.stderr : io.stdout;
    output.print(formatLint(results, format));
    return results.some(({ warnings, error }) => warnings.length > 0 || error !== undefined) ? 1 : 0;
  },
});

function readFormat(text = "text"): LintFormat {
  const format = lintFormats.find((known) => known === text);
  if (format === undefined)
    throw new VarveError("USAGE", `unknown format ${text}`, { hint: `there are ${lintFormats.join(", ")}` });
  return format;
}

async function lintFile(name: string, buildArgs: Readonly<Record<string, string>>, call: LintCall): Promise<CheckResult> {
  const { flags, io } = call;
  const { fixDockerfile, lintDockerfile, readIgnorePatterns } = await import("../../engine/index.ts");
  const isStdin = name === "-";
  const path = resolve(io.cwd, isStdin ? (flags["stdin-filename"] ?? "Dockerfile") : name);
  const file = shownName(path, io.cwd);
  let bytes = isStdin ? await readStdin(call) : await readText(path);
  const options = {
    file,
    buildArgs,
    ignorePatterns: readIgnorePatterns(path),
    signal: io.signal,
    ...optional("target", flags.target),
  };
  if (flags.fix === true) {
    const fixed = await fixDockerfile(bytes, { ...options, unsafe: flags["unsafe-fixes"] === true });
    bytes = fixed.bytes;
    if (isStdin) await io.stdout.write(bytes);
    else if (fixed.changed) await writeFileAside(path, bytes);
  }
  if (flags["base-images"] !== true) return await lintDockerfile(bytes, options);
  const store = await call.openStore();
  const result = await store.check({
    context: { kind: "folder", path: dirname(path) },
    dockerfile: isStdin ? { text: bytes, name: basename(path) } : { path },
    buildArgs,
    signal: io.signal,
    ...optional("target", flags.target),
  });
  return { ...result, source: { ...result.source, file } };
}

function shownName(path: string, cwd: string): string {
  const shown = relative(cwd, path);
  return shown.startsWith("../") ? path : shown;
}

async function readText(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new VarveError("FILE_UNREADABLE", `cannot read ${path}`, { cause });
  }
}

/** A longer text is no Dockerfile. */
const maxBytes = 16 * 1024 * 1024;

async function readStdin({ io }: LintCall): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of io.stdin.chunks()) {
    length += chunk.length;
    if (length > maxBytes) throw new VarveError("USAGE", `the Dockerfile from stdin is larger than ${maxBytes} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}
