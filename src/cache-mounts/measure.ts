import { lstatSync, readdirSync } from "node:fs";
import type { Measured } from "./tasks.ts";

/** Sizes of folders that steps may be writing to: what goes away meanwhile does not count. */
export function measureFolders(folders: readonly string[]): readonly Measured[] {
  return folders.map((folder) => {
    const seen = new Set<bigint>();
    let [bytes, files] = [0n, 0];
    const visit = (path: Buffer): void => {
      const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (stats === undefined || (stats.nlink > 1n && !stats.isDirectory() && seen.has(stats.ino))) return;
      seen.add(stats.ino);
      bytes += stats.blocks * 512n;
      files += 1;
      if (!stats.isDirectory()) return;
      for (const name of namesOf(path)) visit(Buffer.concat([path, slash, name]));
    };
    visit(Buffer.from(folder));
    return { bytes: Number(bytes), files };
  });
}

const slash = Buffer.from("/");

function namesOf(folder: Buffer): readonly Buffer[] {
  try {
    return readdirSync(folder, { encoding: "buffer" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
