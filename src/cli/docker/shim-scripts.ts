import { chmodSync, lstatSync, mkdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { VarveError } from "../../errors/index.ts";
import { writeFileAside } from "../file-aside.ts";
import { calledAsVariable } from "./called-as.ts";

/** The commands under whose names Varve answers, and the words that each puts before its own. */
const shims = { docker: [], "docker-compose": ["compose"] } as const satisfies Readonly<Record<string, readonly string[]>>;

/** The second line of each script: by it one is known to be ours. */
const mark = "# Varve under Docker's name, made by `varve docker-shim install`; `varve docker-shim uninstall` removes it.";

/** What names a store: set at the installation, it holds for the scripts where the environment says nothing else. */
const storeVariables = ["VARVE_ROOT", "VARVE_CONFIG", "VARVE_RUNTIME"];

/**
 * Puts scripts named `docker` and `docker-compose` into a folder, which is made where it is missing; each runs the given program.
 * Fails with SHIM_FOREIGN, and has changed nothing, when another's file is in the way. Returns the paths.
 */
export async function installShims(
  folder: string,
  { program, env }: { readonly program: readonly string[]; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<readonly string[]> {
  mkdirSync(folder, { recursive: true });
  const places = Object.entries(shims).map(([name, words]) => ({ path: join(folder, name), words }));
  for (const { path } of places) if (stateOf(path) === "foreign") throw foreign(path);
  const defaults = storeVariables.flatMap((name) => {
    const value = env[name] ?? "";
    return value === "" ? [] : [`: "\${${name}:=${value.replaceAll(/[\\"$`}]/g, "\\$&")}}"; export ${name}\n`];
  });
  for (const { path, words } of places) {
    const command = [...program, ...words].map(quote).join(" ");
    const lines = `#!/bin/sh\n${mark}\n${defaults.join("")}${calledAsVariable}=docker exec ${command} "$@"\n`;
    await writeFileAside(path, lines);
    chmodSync(path, 0o755);
  }
  return places.map(({ path }) => path);
}

/** Removes the scripts that {@link installShims} made; what is another's stays. Returns the paths that are gone. */
export function uninstallShims(folder: string): readonly string[] {
  const own = Object.keys(shims)
    .map((name) => join(folder, name))
    .filter((path) => stateOf(path) === "own");
  for (const path of own) rmSync(path);
  return own;
}

/** The words that start this Varve again. */
export function ownProgram(): readonly string[] {
  return [process.execPath, realpathSync(process.argv[1] ?? "")];
}

function stateOf(path: string): "missing" | "own" | "foreign" {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return "missing";
  if (!stats.isFile() || stats.size > 65_536) return "foreign";
  return readFileSync(path, "utf8").split("\n")[1] === mark ? "own" : "foreign";
}

function foreign(path: string): VarveError {
  return new VarveError("SHIM_FOREIGN", `${path} is there already, and not of Varve's making`, {
    hint: "name another folder, and put it before that one on the PATH",
  });
}

function quote(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
