import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, lutimesSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import type { FileSpec } from "./case.ts";
import { packArchive, parseEntry } from "./pack-archive.ts";

/**
 * Every file of a context is of one time long ago, so that a build that loses or keeps times shows it; a time of the context's own, as
 * BuildKit takes a file of the same name, size and time in a folder of the same name for the file that it was sent before.
 */
function timeOf(files: readonly FileSpec[]): number {
  const digest = createHash("sha256").update(JSON.stringify(files));
  return 981_173_106 + (digest.digest().readUInt32BE() % 100_000_000);
}

/** Writes a case's files into a new folder: modes as said or 0644 and 0755, times all the same, whatever the umask. */
export async function writeContext(folder: string, files: readonly FileSpec[]): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const folders = new Set<string>();
  for (const file of files) {
    const path = join(folder, file.path);
    for (let parent = dirname(file.path); parent !== "."; parent = dirname(parent)) folders.add(parent);
    mkdirSync(dirname(path), { recursive: true });
    switch (file.kind) {
      case "folder":
        mkdirSync(path, { recursive: true });
        folders.add(file.path);
        break;
      case "symlink":
        symlinkSync(file.target, path);
        break;
      case "link":
        linkSync(join(folder, file.target), path);
        break;
      case "fifo":
        execFileSync("mkfifo", [path]);
        break;
      case "socket":
        await makeSocket(path);
        break;
      case "archive":
        writeFileSync(path, packArchive(path, Buffer.from(file.content).toString().split("\n").filter(Boolean).map(parseEntry)));
        break;
      case "file":
        writeFileSync(path, file.content);
        break;
    }
  }
  const contextTime = timeOf(files);
  const modes = new Map(files.map((file) => [file.path, file.mode] as const));
  for (const file of files) {
    if (file.kind === "symlink" || file.kind === "link" || file.kind === "folder") continue;
    chmodSync(join(folder, file.path), file.mode ?? 0o644);
  }
  for (const path of folders) chmodSync(join(folder, path), modes.get(path) ?? 0o755);
  const all = new Set([...files.map((file) => file.path), ...folders]);
  for (const path of [...all].sort().reverse()) lutimesSync(join(folder, path), contextTime, contextTime);
  chmodSync(folder, 0o755);
  lutimesSync(folder, contextTime, contextTime);
}

/** A socket stays in the file system only while a process holds it, unless it is moved away first. */
async function makeSocket(path: string): Promise<void> {
  const server = createServer();
  const aside = `${path}.listening`;
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(aside, resolve));
  linkSync(aside, path);
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
