import { closeSync, constants, fchownSync, mkdirSync, openSync, readlinkSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { fdPath, hasCode, openFlags, openInRoot, openPath } from "../sys/index.ts";
import type { ContainerProcess } from "./container-process.ts";

const maxSteps = 255;

/**
 * Makes a step's working folder where the image lacks it (mode 755, owned by the step's user) and checks that it is one. Folders
 * below a mount of the step are left to the runtime, which sees the mount. A path into /proc is refused: it could be a door to
 * a folder of the host that the runtime has open (CVE-2024-21626).
 */
export function makeWorkingFolder(rootPath: string, process: Pick<ContainerProcess, "cwd" | "user" | "mounts">): void {
  const { cwd, user, mounts } = process;
  if (!cwd.startsWith("/")) throw new VarveError("RUNTIME_CWD", `the working directory "${cwd}" is not absolute`);
  refuseProc(cwd, cwd);
  if (mounts.some(({ destination }) => isWithin(cwd, destination))) return;
  const root = openPath(rootPath);
  try {
    const folder = openOrMake(root, cwd, user);
    try {
      refuseProc(cwd, inRoot(root, folder));
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    if (!hasCode(error, "ENOTDIR", "ELOOP", "ENOENT", "EEXIST", "EACCES", "EROFS", "ENAMETOOLONG")) throw error;
    throw new VarveError("RUNTIME_CWD", `the working directory ${cwd} cannot be used`, { cause: error });
  } finally {
    closeSync(root);
  }
}

function refuseProc(cwd: string, path: string): void {
  if (!/^\/+(\.?\/+)*proc\/+[^/]/.test(path) && !/(^|\/)\.\.(\/|$)/.test(path)) return;
  throw new VarveError("RUNTIME_CWD", `the working directory "${cwd}" leads into /proc or upwards, where a step has no business`);
}

function isWithin(path: string, folder: string): boolean {
  const prefix = folder.replace(/\/+$/, "");
  return path === prefix || path.startsWith(`${prefix}/`);
}

/** The path of an open folder as the root sees it. */
function inRoot(root: number, folder: number): string {
  const prefix = readlinkSync(fdPath(root));
  const path = readlinkSync(fdPath(folder));
  return prefix === "/" ? path : path.slice(prefix.length) || "/";
}

function openOrMake(root: number, path: string, user: { readonly uid: number; readonly gid: number }, depth = 0): number {
  const flags = openFlags.path | constants.O_DIRECTORY;
  try {
    return openInRoot(root, path, { flags });
  } catch (error) {
    if (!hasCode(error, "ENOENT") || depth > maxSteps) throw error;
  }
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const name = parts.pop();
  if (name === undefined) throw new TypeError("a root without itself");
  const parent = openOrMake(root, `/${parts.join("/")}`, user, depth + 1);
  try {
    const child = `${fdPath(parent)}/${name}`;
    mkdirSync(child, { mode: 0o755 });
    const made = openSync(child, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      fchownSync(made, user.uid, user.gid);
    } finally {
      closeSync(made);
    }
  } finally {
    closeSync(parent);
  }
  return openInRoot(root, path, { flags });
}
