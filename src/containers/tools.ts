import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { VarveError } from "../errors/index.ts";

/** Where what containers need is installed that a PATH often lacks. */
const alsoIn = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/usr/libexec/podman", "/usr/local/libexec/podman"];

/** conmon's path. CONTAINER_MONITOR_MISSING says how to get it. */
export async function findMonitor({ path }: { readonly path: string }): Promise<string> {
  const found = await findProgram("conmon", path);
  if (found !== undefined) return found;
  throw new VarveError("CONTAINER_MONITOR_MISSING", "containers need conmon, which looks after them, and it is not on the PATH", {
    hint: "apt-get install conmon; dnf install conmon; apk add conmon",
  });
}

/** The program for `--init`: it reaps and forwards signals. */
export async function findInit({ path }: { readonly path: string }): Promise<string> {
  for (const name of ["docker-init", "tini-static", "tini", "catatonit"]) {
    const found = await findProgram(name, path);
    if (found !== undefined) return found;
  }
  throw new VarveError("CONTAINER_INVALID", "--init needs an init program, and there is neither tini nor catatonit", {
    hint: "apt-get install tini (or catatonit)",
  });
}

async function findProgram(name: string, path: string): Promise<string | undefined> {
  const folders = [...path.split(delimiter).filter((folder) => isAbsolute(folder)), ...alsoIn];
  for (const folder of folders) {
    const program = join(folder, name);
    try {
      await access(program, constants.X_OK);
      return program;
    } catch {
      continue; // not there, or not for us: the search goes on
    }
  }
  return undefined;
}
