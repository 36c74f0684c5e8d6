import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Writes a context: contents by path. */
export function writeContext(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** A context of many small files, 0 to 4 KiB of text, a hundred to a folder; another seed has other contents everywhere. */
export function writeManyFiles(folder: string, count: number, seed: string): string {
  writeContext(folder, { Dockerfile: "FROM busybox\nCOPY . /data\n" });
  const line = `${seed} the quick brown fox jumps over the lazy dog\n`;
  for (let index = 0; index < count; index += 1) {
    const place = join(folder, "files", String(Math.floor(index / 100)));
    if (index % 100 === 0) mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `file-${index}.txt`), `${index} ${line.repeat((index * 7919) % 80)}`);
  }
  return folder;
}

/** A context of some hundred megabytes that compress about as programs do: copies of Node's own, each with other bytes. */
export function writeLargeFiles(folder: string, megabytes: number, seed: number): string {
  writeContext(folder, { Dockerfile: "FROM busybox\nCOPY data /data\n" });
  mkdirSync(join(folder, "data"));
  const program = readFileSync(process.execPath);
  for (let left = megabytes * 1_000_000, index = 0; left > 0; index += 1) {
    const part = Buffer.from(program.subarray(0, left));
    const mask = (seed * 31 + index * 7 + 1) % 256;
    for (let at = 0; at < part.length; at += 1) part[at] = (part[at] ?? 0) ^ mask;
    writeFileSync(join(folder, "data", `part-${index}`), part);
    left -= part.length;
  }
  return folder;
}
