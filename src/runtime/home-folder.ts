import { closeSync, constants, fstatSync, readFileSync } from "node:fs";
import { hasCode, openInRoot, openPath } from "../sys/index.ts";
import type { ContainerProcess } from "./container-process.ts";

/** A larger /etc/passwd is not read. */
const maxPasswdBytes = 10 * 1024 * 1024;

/**
 * The environment with HOME: what it says itself (an empty one counts for none), else what the root's /etc/passwd says of the user, else `/`. The runtimes would
 * add it too, but not the same one for a user without an entry; Docker's steps see runc's answer.
 */
export function withHome(rootPath: string, { env, user }: Pick<ContainerProcess, "env" | "user">): readonly string[] {
  const given = env.findLast((entry) => entry.startsWith("HOME="));
  if (given !== undefined && given !== "HOME=") return env;
  return [...env.filter((entry) => entry !== "HOME="), `HOME=${homeOf(readPasswd(rootPath), user.uid)}`];
}

function homeOf(passwd: string, uid: number): string {
  for (const line of passwd.split("\n")) {
    const [, , id, , , home] = line.split(":");
    if (id !== undefined && id !== "" && Number(id) === uid) return home === undefined || home === "" ? "/" : home;
  }
  return "/";
}

function readPasswd(rootPath: string): string {
  const root = openPath(rootPath);
  try {
    const fd = openInRoot(root, "/etc/passwd", { flags: constants.O_RDONLY | constants.O_NONBLOCK });
    try {
      const stat = fstatSync(fd);
      return stat.isFile() && stat.size <= maxPasswdBytes ? readFileSync(fd, "utf8") : "";
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES", "ENXIO")) return "";
    throw error;
  } finally {
    closeSync(root);
  }
}
