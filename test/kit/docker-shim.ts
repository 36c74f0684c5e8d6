/** `docker` and `docker-compose` as `varve docker-shim install` makes them, over a sandbox's store. */
import { start, type Result } from "./command.ts";
import { compiledCode } from "./compiled-code.ts";
import type { Sandbox } from "./sandbox.ts";

export interface Shim {
  /** The environment in which the names are Varve's. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a line of a shell as it is written; fails where it fails. Resolves to its stdout. */
  run(
    line: string,
    options?: { readonly cwd?: string; readonly input?: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<string>;
  /** As `run`, whatever becomes of it. */
  attempt(
    line: string,
    options?: { readonly cwd?: string; readonly input?: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<Result>;
}

export async function installShim(box: Sandbox): Promise<Shim> {
  await box.succeed(["docker-shim", "install", box.path("shim")]);
  const { PATH = "", VARVE_RUNTIME } = process.env;
  const env = {
    PATH: `${box.path("shim")}:${PATH}`,
    HOME: box.path("home"),
    TMPDIR: box.path("tmp"),
    VARVE_ROOT: box.path("store"),
    VARVE_CONFIG: box.path("varve.toml"),
    ...compiledCode(),
    ...(VARVE_RUNTIME === undefined ? {} : { VARVE_RUNTIME }),
  };
  const attempt: Shim["attempt"] = async (line, { cwd = box.folder, input, env: more } = {}) =>
    await start(box.as(["sh", "-c", line]), {
      cwd,
      env: { ...env, PWD: cwd, ...more },
      ...(input === undefined ? {} : { input }),
    }).result;
  return {
    env,
    attempt,
    async run(line, options) {
      const { code, signal, stdout, stderr } = await attempt(line, options);
      if (code !== 0)
        throw new Error(`${line} ended with ${code ?? signal}:\n${stdout.toString().slice(-2000)}${stderr.slice(-4000)}`);
      return stdout.toString();
    },
  };
}
