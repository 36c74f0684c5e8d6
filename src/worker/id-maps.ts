import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { promisify } from "node:util";
import { VarveError } from "../errors/index.ts";

/** Lines for newuidmap(1) and newgidmap(1): inside, outside, count. */
export interface IdMapPlan {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

const hint = "as root: apt-get install uidmap, and usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER";

/** The user as root inside, and its subordinate ids (subuid(5), subgid(5)) from 1 upwards. */
export function planIdMaps(): IdMapPlan {
  const { username, uid, gid } = userInfo();
  return { uids: planRanges("/etc/subuid", username, uid, uid), gids: planRanges("/etc/subgid", username, uid, gid) };
}

function planRanges(file: string, username: string, uid: number, own: number): IdRange[] {
  const ranges: IdRange[] = [{ inside: 0, outside: own, count: 1 }];
  let next = 1;
  for (const line of readOrEmpty(file).split("\n")) {
    const [owner, start, count] = line.split(":");
    if ((owner !== username && owner !== String(uid)) || !Number(count)) continue;
    ranges.push({ inside: next, outside: Number(start), count: Number(count) });
    next += Number(count);
  }
  if (next === 1) {
    throw new VarveError(
      "WORKER_NO_SUBORDINATE_IDS",
      `${username} has no subordinate ids in ${file}, which a build without root needs`,
      { hint },
    );
  }
  return ranges;
}

/** Writes the maps of a process that has just entered a user namespace. */
export async function mapIds(pid: number, plan: IdMapPlan): Promise<void> {
  await runHelper("newuidmap", pid, plan.uids);
  await runHelper("newgidmap", pid, plan.gids);
}

async function runHelper(program: string, pid: number, ranges: readonly IdRange[]): Promise<void> {
  const args = ranges.flatMap(({ inside, outside, count }) => [inside, outside, count]).map(String);
  try {
    await promisify(execFile)(program, [String(pid), ...args]);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new VarveError(
      "WORKER_NO_SUBORDINATE_IDS",
      missing ? `${program} is missing, which a build without root needs` : `${program} failed`,
      { hint, cause: error },
    );
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
