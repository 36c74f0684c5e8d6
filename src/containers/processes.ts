import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { VarveError } from "../errors/index.ts";
import type { ContainerHandle } from "./handle.ts";

/**
 * The processes of a container, as this machine counts them: those of its pid namespace, also what `exec` started; of one that shares the
 * machine's, its first process and what came from it.
 */
export async function listProcesses(
  { pid, enter }: ContainerHandle,
  { path, hostPids }: { readonly path: string; readonly hostPids: boolean },
): Promise<ReadonlySet<number>> {
  if (hostPids) return await listDescendants(pid, path);
  const words = [...enter, "find", "/proc", "-maxdepth", "3", "-path", "/proc/[0-9]*/ns/pid", "-printf", "%p %l\\n"];
  const places = (await output(words, path)).split("\n").map((line) => line.split(" "));
  const own = places.find(([place]) => place === `/proc/${pid}/ns/pid`)?.[1];
  const pids = places.filter(([, namespace]) => namespace === own).map(([place = ""]) => Number(place.split("/")[2]));
  return new Set(own === undefined ? [pid] : pids);
}

async function listDescendants(pid: number, path: string): Promise<ReadonlySet<number>> {
  const rows = (await output(["ps", "-e", "-o", "pid=,ppid="], path))
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = new Set([pid]);
  for (let size = 0; size < found.size;) {
    size = found.size;
    for (const [child = 0, parent = 0] of rows) if (found.has(parent)) found.add(child);
  }
  return found;
}

/** What a program prints; it may complain of processes that ended meanwhile, or belong to others. */
async function output([program = "", ...args]: readonly string[], path: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { env: { PATH: path }, maxBuffer: 1 << 26 });
    return stdout;
  } catch (error) {
    if (error instanceof Error && "stdout" in error && typeof error.stdout === "string" && error.stdout !== "")
      return error.stdout;
    throw new VarveError("CONTAINER_PROCESSES", `the processes of the container cannot be listed with ${program}`, {
      cause: error,
    });
  }
}

/** Rows of ps(1) for these processes; its own arguments, or Docker's `-ef`. */
export async function runPs(
  pids: ReadonlySet<number>,
  { psArguments, path }: { readonly psArguments: readonly string[]; readonly path: string },
): Promise<{ readonly titles: readonly string[]; readonly rows: readonly (readonly string[])[] }> {
  const args = psArguments.length === 0 ? ["-ef"] : psArguments;
  let text: string;
  try {
    text = (await promisify(execFile)("ps", args, { env: { PATH: path, LANG: "C.UTF-8" }, maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    // below the first line it tells how it is to be used
    const [said = ""] = error instanceof Error && "stderr" in error ? String(error.stderr).trim().split("\n") : [];
    if (said === "") throw new VarveError("CONTAINER_PROCESSES", "ps: it cannot be started", { cause: error });
    throw new VarveError("CONTAINER_PROCESSES", said.startsWith("ps:") ? said : `ps: ${said}`);
  }
  const [heading = "", ...lines] = text.split("\n").filter((line) => line !== "");
  const titles = heading.trim().split(/\s+/);
  const at = titles.indexOf("PID");
  if (at < 0) throw new VarveError("CONTAINER_PROCESSES", "Couldn't find PID field in ps output");
  const rows = lines.map((line) => cells(line, titles.length)).filter((row) => pids.has(Number(row[at])));
  return { titles, rows };
}

/** The last column, a command line, has spaces of its own. */
function cells(line: string, count: number): readonly string[] {
  const words = line.trim().split(/\s+/);
  return [...words.slice(0, count - 1), words.slice(count - 1).join(" ")];
}
