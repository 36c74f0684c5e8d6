/** The ways in which Varve is tried on this machine: as root, as an ordinary user. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";

export interface Person {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface Way {
  readonly name: "as root" | "as an ordinary user";
  /** Whom root becomes for it; without one the tests' own user builds. */
  readonly person?: Person;
}

export const isRoot = process.getuid?.() === 0;

function ordinaryPerson(): Person | undefined {
  const known = existsSync("/etc/subuid") ? readFileSync("/etc/subuid", "utf8").split("\n") : [];
  const names = [process.env["VARVE_TEST_USER"] ?? "", ...known.map((line) => line.split(":")[0] ?? "")];
  const people = existsSync("/etc/passwd") ? readFileSync("/etc/passwd", "utf8").split("\n") : [];
  for (const name of names.filter((one) => one !== "")) {
    const [, , uid, gid] = people.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid !== undefined && uid !== "0") return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

const person = isRoot ? ordinaryPerson() : undefined;
const asUser: readonly Way[] = isRoot && person === undefined ? [] : [{ name: "as an ordinary user", ...(person && { person }) }];

export const ways: readonly Way[] = [...(isRoot ? [{ name: "as root" } as const] : []), ...asUser];

/** The way of this process itself, the first of `ways`. */
export const ownWay: Way = { name: isRoot ? "as root" : "as an ordinary user" };

/** Why a way is not tried here, for the title of a skipped test. */
export const missingWay: string | undefined = asUser.length === 0 ? "nobody here has subordinate ids (/etc/subuid)" : undefined;

/** Why an ordinary user's containers have no way out of their networks here; undefined where they have one. */
export function findNoWayOut(): string | undefined {
  if (!existsSync(tun)) return `there is no ${tun}`;
  return (statSync(tun).mode & 0o006) === 0o006 ? undefined : `${tun} is closed to ordinary users; as root: chmod 666 ${tun}`;
}

const tun = "/dev/net/tun";

/** Whether a program is on the PATH. */
export function hasProgram(name: string): boolean {
  try {
    execFileSync("sh", ["-c", 'command -v "$1"', "sh", name], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
