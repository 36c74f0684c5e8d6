import { closeSync, constants } from "node:fs";
import { posix } from "node:path";
import { VarveError, isVarveError } from "../errors/index.ts";
import { hasCode, openFlags, openInRoot, openPath } from "../sys/index.ts";
import type { ContainerProcess } from "./container-process.ts";
import { makeInRoot, resolveInRoot } from "./make-in-root.ts";

/**
 * Makes a step's working folder where the image lacks it (mode 755, owned by the step's user) and checks that it is one. Folders
 * below a mount of the step are left to the runtime, which sees the mount. A path into /proc is refused: it could be a door to
 * a folder of the host that the runtime has open (CVE-2024-21626).
 */
export function makeWorkingFolder(rootPath: string, process: Pick<ContainerProcess, "cwd" | "user" | "mounts">): void {
  const { cwd, user, mounts } = process;
  if (!cwd.startsWith("/")) throw new VarveError("RUNTIME_CWD", `the working directory "${cwd}" is not absolute`);
  refuseProc(cwd, posix.normalize(cwd)); // a WORKDIR keeps its ".."
  // Where a path with ".." leads hangs on the links in it: it is looked up, whatever stands in it.
  if (!cwd.split("/").includes("..") && mounts.some(({ destination }) => isWithin(cwd, destination))) return;
  const root = openPath(rootPath);
  try {
    makeInRoot(root, cwd, { kind: "folder", owner: user });
    refuseProc(cwd, resolveInRoot(root, cwd));
    closeSync(openInRoot(root, cwd, { flags: openFlags.path | constants.O_DIRECTORY }));
  } catch (error) {
    if (isVarveError(error) || !hasCode(error, "ENOTDIR", "ELOOP", "ENOENT", "EEXIST", "EACCES", "EROFS", "ENAMETOOLONG"))
      throw error;
    throw new VarveError("RUNTIME_CWD", `the working directory ${cwd} cannot be used`, { cause: error });
  } finally {
    closeSync(root);
  }
}

function refuseProc(cwd: string, path: string): void {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts[0] !== "proc" || parts.length === 1) return;
  throw new VarveError("RUNTIME_CWD", `the working directory "${cwd}" leads into /proc, where a step has no business`);
}

function isWithin(path: string, folder: string): boolean {
  const prefix = folder.replace(/\/+$/, "");
  return path === prefix || path.startsWith(`${prefix}/`);
}
