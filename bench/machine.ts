import { readFileSync, statfsSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { runOrThrow } from "./builders.ts";

/** What the times depend on; no names of hosts or places. */
export function describeMachine(folder: string, versions: readonly string[]): string[] {
  const model = cpus()[0]?.model.trim() ?? "unknown";
  return [
    `${cpus().length} cores (${model}), ${Math.round(totalmem() / 2 ** 30)} GiB of memory`,
    `Linux ${/^\d+\.\d+\.\d+/.exec(release())?.[0] ?? ""}, contexts and stores on ${fileSystemOf(folder)}`,
    `Node.js ${process.version}, ${firstLine(["crun", "--version"])}`,
    ...versions,
  ];
}

/** Processes that wanted a core lately: 0 on a machine that does nothing else. */
export function loadOf(): number {
  return Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]);
}

function fileSystemOf(folder: string): string {
  const known: Readonly<Record<number, string>> = { 0xef53: "ext4", 0x9123683e: "btrfs", 0x58465342: "xfs", 0x01021994: "tmpfs" };
  const { type } = statfsSync(folder);
  return known[type] ?? `a file system of type 0x${type.toString(16)}`;
}

function firstLine(command: readonly string[]): string {
  try {
    return runOrThrow(command, process.env).split("\n")[0] ?? "";
  } catch {
    return `no ${command[0]}`;
  }
}
