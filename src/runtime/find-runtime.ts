import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { VarveError } from "../errors/index.ts";

export type RuntimeName = "crun" | "runc";

/** An OCI runtime of this machine. */
export interface Runtime {
  readonly name: RuntimeName;
  /** Absolute. */
  readonly path: string;
}

const known: readonly RuntimeName[] = ["crun", "runc"];
/** Where runtimes are installed that an ordinary user's PATH often lacks. */
const alsoIn: readonly string[] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/**
 * Looks for `crun`, else `runc` (slower to start). `path` is the value of PATH; `preferred` a name or an absolute path of one of
 * the two, and then nothing else will do. `RUNTIME_MISSING` says how to get one.
 */
export async function findRuntime(options: { readonly path: string; readonly preferred?: string }): Promise<Runtime> {
  const { preferred } = options;
  const folders = [...options.path.split(delimiter).filter((folder) => isAbsolute(folder)), ...alsoIn];
  if (preferred !== undefined) {
    const name = known.find((candidate) => preferred === candidate || preferred.endsWith(`/${candidate}`));
    if (name === undefined) {
      throw new VarveError("RUNTIME_MISSING", `"${preferred}" is not a runtime that Varve knows`, {
        hint: "use crun or runc, by name or by path",
      });
    }
    const path = isAbsolute(preferred) ? ((await isProgram(preferred)) ? preferred : undefined) : await search(name, folders);
    if (path !== undefined) return { name, path };
    throw new VarveError("RUNTIME_MISSING", `the OCI runtime "${preferred}" is not there`, {
      hint: `install it: apt-get install ${name}`,
    });
  }
  for (const name of known) {
    const path = await search(name, folders);
    if (path !== undefined) return { name, path };
  }
  throw new VarveError("RUNTIME_MISSING", "RUN needs an OCI runtime, and neither crun nor runc is on the PATH", {
    hint: "apt-get install crun (or runc); dnf install crun; apk add crun",
  });
}

async function search(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    if (await isProgram(path)) return path;
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false; // not there, or not for us: the search goes on
  }
}
