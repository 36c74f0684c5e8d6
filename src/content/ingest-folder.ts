import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, readlinkSync } from "node:fs";
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, storeError } from "./disk.ts";

/** Nothing writes to one blob for longer than this without a pause. */
const maxIdleMs = 24 * 60 * 60 * 1000;

/** A path that no other writer will choose. Its name says who writes, so that a sweep knows the files of the dead. */
export function newIngestPath(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw storeError(error, "make the folder for new blobs");
  }
  const { pid, start, namespace } = ownIdentity();
  return join(folder, `${pid}-${start}-${namespace}-${randomBytes(12).toString("hex")}`);
}

/** See `ContentStore.sweepIngest`. */
export async function sweepIngestFolder(folder: string): Promise<number> {
  let removed = 0;
  try {
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (!isAbandoned(name) && (await idleMs(path)) < maxIdleMs) continue;
      await unlink(path).then(
        () => (removed += 1),
        (error: unknown) => {
          if (errnoOf(error) !== "ENOENT") throw error;
        },
      );
    }
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw storeError(error, "sweep unfinished blobs");
  }
  return removed;
}

/** How long ago a file was written to last; 0 when it is gone, since then nothing is to be done. */
async function idleMs(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return 0;
    throw error;
  }
}

/** True when the name's writer is surely dead. A writer in another PID namespace cannot be judged from here. */
function isAbandoned(name: string): boolean {
  const [, pid = "", start = "", namespace = ""] = /^(\d+)-(\d+)-(\d+)-[0-9a-f]+$/.exec(name) ?? [];
  if (pid === "" || start === "0" || namespace !== ownIdentity().namespace) return false;
  return startOf(pid) !== start;
}

interface Identity {
  readonly pid: number;
  /** Clock ticks since boot; "0" where the system does not tell. */
  readonly start: string;
  /** The PID namespace's number; "0" where the system does not tell. */
  readonly namespace: string;
}

let identity: Identity | undefined;

function ownIdentity(): Identity {
  identity ??= { pid: process.pid, start: startOf("self") ?? "0", namespace: ownNamespace() };
  return identity;
}

/** When a process started (proc_pid_stat(5), field 22); undefined when there is none, or only its zombie. */
function startOf(pid: string): string | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the command's name in parentheses, and may hold blanks and parentheses itself.
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ESRCH") return undefined;
    throw error;
  }
}

function ownNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return "0";
  }
}
