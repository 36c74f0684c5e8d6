/** Looks into the kernel's tables for what a build left behind. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process may end while it is looked at, and another user's may not be looked at. */
const gone = new Set(["ENOENT", "ESRCH", "EACCES", "EPERM", "EINVAL"]);

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (gone.has((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}

/** Everything that still names `word` (a path): processes by their command line, mounts of any process. */
export function findTraces(word: string): readonly string[] {
  const traces = new Set<string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const command = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
    if (command.includes(word)) traces.add(`process ${pid}: ${command}`);
    for (const line of read(`/proc/${pid}/mountinfo`).split("\n")) {
      if (line.includes(word)) traces.add(`mount of process ${pid} (${command}): ${line}`);
    }
  }
  return [...traces];
}

/** What stays of that which is looked for: what was killed needs a moment to be gone. */
async function findLasting<Found>(look: () => readonly Found[]): Promise<readonly Found[]> {
  for (const start = Date.now(); ; await sleep(50)) {
    const found = look();
    if (found.length === 0 || Date.now() - start > 60_000) return found;
  }
}

/** The traces of `word` that stay. */
export const findLastingTraces = async (word: string): Promise<readonly string[]> => await findLasting(() => findTraces(word));

/** Those of the processes that go on. */
export const findSurvivors = async (pids: Iterable<number>): Promise<readonly number[]> =>
  await findLasting(() => [...pids].filter(isAlive));

/** All processes below one, by the kernel's account of parents. */
export function listDescendants(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const [, parent] = /\) \S (\d+)/.exec(read(`/proc/${name}/stat`)) ?? [];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const found = new Set([pid]);
  for (let grown = true; grown;) {
    const before = found.size;
    for (const [child, parent] of parents) if (found.has(parent)) found.add(child);
    grown = found.size > before;
  }
  found.delete(pid);
  return [...found];
}

/** Also one whose first thread has ended and others have not: it holds its files and sockets. */
export function isAlive(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === "") return false;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] !== "Z" || Number(fields[17]) > 1;
}
