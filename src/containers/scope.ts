import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { hasCode } from "../sys/index.ts";

const tree = "/sys/fs/cgroup";
const programs = ["/usr/bin/systemd-run", "/bin/systemd-run", "/run/current-system/sw/bin/systemd-run"];

/** What systemd gives this user's containers: a scope each (systemd.scope(5)), whose cgroup of version 2 is delegated to them. */
export interface Scopes {
  /** Controllers that this user may limit by. */
  readonly controllers: readonly string[];
  /** What a command begins with to run, under its own pid, in a new scope of this name. */
  command(unit: string): readonly string[];
  /** What that needs to be told. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * How to come by scopes; undefined where systemd does not look after this user, or cgroups are of version 1. Whoever is in none of
 * its own may not be limited, and cannot outlive the service that started it.
 */
export function findScopes(): Scopes | undefined {
  const program = existsSync(join(tree, "cgroup.controllers")) ? programs.find((path) => existsSync(path)) : undefined;
  const uid = process.getuid?.() ?? 0;
  const session = uid === 0 ? "/run" : `/run/user/${uid}`;
  if (program === undefined || !existsSync(`${session}/systemd/private`)) return undefined;
  if (uid !== 0 && !existsSync(`${session}/bus`)) return undefined;
  const controllers = readWords(
    join(tree, uid === 0 ? "" : `user.slice/user-${uid}.slice/user@${uid}.service`, "cgroup.controllers"),
  );
  const manager = uid === 0 ? "--system" : "--user";
  // at the machine's end each is given as long as `stop` gives
  const properties = ["--description=a container of Varve", "--property=Delegate=yes", "--property=TimeoutStopSec=10"];
  return {
    controllers,
    command: (unit) => [program, manager, "--scope", "--quiet", "--collect", `--unit=${unit}`, ...properties, "--"],
    env: uid === 0 ? {} : { XDG_RUNTIME_DIR: session, DBUS_SESSION_BUS_ADDRESS: `unix:path=${session}/bus` },
  };
}

/** The name of the scope of one start of a container; {@link readOwnScope} knows it. */
export function scopeName(id: string, generation: number): string {
  return `varve-${id}-${generation}.scope`;
}

/** In a container's scope the monitor has a cgroup of its own: where processes are, controllers cannot be (cgroups(7), "no internal processes"). */
export const monitorGroup = "monitor";

/** The cgroup of the scope that this process was started in by {@link scopeName}; undefined where it is in none. */
export function readOwnScope(): { readonly path: string; readonly controllers: readonly string[] } | undefined {
  const path = dirname(cgroupOf("self") ?? "/");
  if (!/^varve-[0-9a-f]{64}-\d+\.scope$/.test(basename(path))) return undefined;
  return { path, controllers: readWords(join(tree, path, "cgroup.controllers")) };
}

/**
 * What a command begins with that is to bring processes into the cgroup of the process `pid`. Who is outside of what is delegated, in
 * the session of a login, may bring none there (cgroups(7), "Delegation containment").
 */
export function reachScope(pid: number, unit: string): Pick<Scopes, "env"> & { readonly words: readonly string[] } {
  const target = cgroupOf(String(pid)) ?? "";
  const uid = process.getuid?.() ?? 0;
  const delegated = `/user@${uid}.service/`;
  if (uid === 0 || !target.includes(delegated) || (cgroupOf("self") ?? "").includes(delegated)) return { words: [], env: {} };
  const scopes = findScopes();
  return { words: scopes?.command(unit) ?? [], env: scopes?.env ?? {} };
}

/** The path in the tree of version 2. */
function cgroupOf(pid: string): string | undefined {
  return /^0::(.*)$/m.exec(readIfThere(`/proc/${pid}/cgroup`))?.[1];
}

function readWords(path: string): readonly string[] {
  return readIfThere(path)
    .split(/\s+/)
    .filter((word) => word !== "");
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "EACCES", "ESRCH")) return "";
    throw error;
  }
}
