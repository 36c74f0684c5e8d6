import { join, resolve } from "node:path";
import type { VarveOptions } from "../engine/index.ts";
import type { Io } from "./io.ts";

/** The folder of Docker's config.json: the flag, DOCKER_CONFIG, or `.docker` in the home folder. */
export function findDockerConfigDir(io: Io, flag: string | undefined): string | undefined {
  const named = flag ?? nonEmpty(io.env["DOCKER_CONFIG"]);
  if (named !== undefined) return resolve(io.cwd, named);
  const home = nonEmpty(io.env["HOME"]);
  return home === undefined ? undefined : join(home, ".docker");
}

const proxyVariables = ["http_proxy", "https_proxy", "no_proxy", "all_proxy"].flatMap((name) => [name, name.toUpperCase()]);

/** What the environment says about the store: the engine itself reads no environment variables. */
export function storeOptions(io: Io, dockerConfigDir: string | undefined, onWarning?: (message: string) => void): VarveOptions {
  const { env } = io;
  const own = (variable: string, base: string, ...rest: string[]): string | undefined => {
    const named = nonEmpty(env[variable]);
    if (named !== undefined) return resolve(io.cwd, named);
    const folder = io.uid === 0 ? undefined : nonEmpty(env[base]);
    return folder === undefined ? undefined : join(folder, "varve", ...rest);
  };
  return {
    ...optional("root", own("VARVE_ROOT", "XDG_DATA_HOME")),
    ...optional("configPath", own("VARVE_CONFIG", "XDG_CONFIG_HOME", "varve.toml")),
    ...optional("dockerConfigDir", dockerConfigDir),
    ...optional("onWarning", onWarning),
    ...optional("runtime", nonEmpty(env["VARVE_RUNTIME"])),
    ...optional("path", nonEmpty(env["PATH"])),
    proxyEnv: Object.fromEntries(
      proxyVariables.flatMap((name) => (nonEmpty(env[name]) === undefined ? [] : [[name, env[name] ?? ""]])),
    ),
  };
}

/** `{ key: value }`, or nothing at all where the value is undefined. */
export function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}

export function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
