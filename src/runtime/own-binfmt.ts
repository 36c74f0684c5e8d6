import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";

/** How a program is started; `stdio` has three entries. */
export interface StartOptions {
  /** A folder in memory, for mount points. */
  readonly folder: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdio: Extract<StdioOptions, readonly unknown[]>;
}

/** The first shell waits until its ids are mapped; the second one is started after that, and so has the capabilities. */
const wait = 'echo >&3 && read -r _ <&3 && exec 3<&- && exec sh -c "$@"';
const register = 'mount -t binfmt_misc binfmt_misc "$1" && printf %s "$2" >"$1/register" && shift 2 && exec "$@" ; exit 125';

/**
 * Starts a program in a user namespace of its own whose table of binary formats (binfmt_misc, Linux 6.7 and later) holds one
 * registration. Nothing of it is seen outside of the namespace, and it goes with it. Ids are what they are to the caller,
 * who must be root in its own user namespace. Exits with 125 where the kernel does not take the registration.
 */
export function spawnWithFormat(command: readonly string[], registration: string, options: StartOptions): ChildProcess {
  const { folder, cwd, env, stdio } = options;
  const table = mkdtempSync(join(folder, "binfmt-"));
  const args = ["--user", "--mount", "sh", "-c", wait, "sh", register, "sh", table, registration, ...command];
  const child = spawn("unshare", args, { cwd, detached: true, env, stdio: [...stdio, "pipe"] });
  const gate = child.stdio[3] as Duplex;
  gate.on("error", () => undefined); // the child has ended, and its exit code tells
  gate.once("data", () => {
    try {
      for (const map of ["uid_map", "gid_map"])
        writeFileSync(`/proc/${child.pid}/${map}`, sameIds(readFileSync(`/proc/self/${map}`, "utf8")));
      gate.end("go\n");
    } catch {
      child.kill("SIGKILL"); // as where the kernel takes no registration: there is no emulation
    }
  });
  return child;
}

/**
 * A map of ids to themselves. All ids that there are would be the map of the first user namespace, for which the runtimes
 * then take it: they get one less.
 */
export function sameIds(map: string): string {
  const lines = map.trim().split("\n");
  return lines
    .map((line) => {
      const [inside = "0", , count = "0"] = line.trim().split(/\s+/);
      return `${inside} ${inside} ${inside === "0" && count === "4294967295" ? "4294967294" : count}\n`;
    })
    .join("");
}
