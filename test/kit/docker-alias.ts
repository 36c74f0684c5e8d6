/** Varve under Docker's name, for the commands of others as they are written. */
import { chmodSync } from "node:fs";
import { resolve } from "node:path";
import { compiledCode } from "./compiled-code.ts";
import type { Sandbox } from "./sandbox.ts";

const repo = resolve(import.meta.dirname, "../..");

/** An environment in which `docker` is Varve over the sandbox's store. `path`: instead of this process's PATH. */
export function aliasDocker(box: Sandbox, { path }: { readonly path?: string } = {}): Readonly<Record<string, string>> {
  const { PATH = "", VARVE_RUNTIME } = process.env;
  box.write("bin", { docker: `#!/bin/sh\nexec ${process.execPath} ${repo}/src/cli/main.ts "$@"\n` });
  chmodSync(box.path("bin", "docker"), 0o755);
  return {
    PATH: `${box.path("bin")}:${path ?? PATH}`,
    HOME: box.path("home"),
    TMPDIR: box.path("tmp"),
    VARVE_ROOT: box.path("store"),
    VARVE_CONFIG: box.path("varve.toml"),
    ...compiledCode(),
    ...(VARVE_RUNTIME === undefined ? {} : { VARVE_RUNTIME }),
  };
}
