import { lstatSync, readdirSync, type BigIntStats } from "node:fs";
import type { Extent, MeasureParams } from "./tasks.ts";

/**
 * Extents of folders, as `du` counts them: blocks, files with several names once, other file systems not at all. What goes
 * away while it is looked at does not count.
 */
export function measureExtents({ items }: MeasureParams): readonly Extent[] {
  const seen = new Set<string>();
  return items.map(({ path, without = [] }) => {
    const skipped = new Set(without);
    const names = new Map<string, bigint>();
    const links = new Map<string, bigint>();
    let [bytes, inodes] = [0n, 0];
    let device: bigint | undefined;
    const visit = (at: Buffer): void => {
      const stats = lookAt(at);
      if (stats === undefined || skipped.has(at.toString())) return;
      device ??= stats.dev;
      if (stats.dev !== device) return;
      if (stats.nlink > 1n && !stats.isDirectory()) {
        const inode = `${stats.dev}:${stats.ino}`;
        names.set(inode, (names.get(inode) ?? 0n) + 1n);
        links.set(inode, stats.nlink);
        if (seen.has(inode)) return;
        seen.add(inode);
      }
      bytes += stats.blocks * 512n;
      inodes += 1;
      if (stats.isDirectory()) for (const name of namesOf(at)) visit(Buffer.concat([at, slash, name]));
    };
    visit(Buffer.from(path));
    const linked = [...names].some(([inode, count]) => count < (links.get(inode) ?? 0n));
    return { bytes: Number(bytes), inodes, linked };
  });
}

const slash = Buffer.from("/");

function lookAt(path: Buffer): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
}

function namesOf(folder: Buffer): readonly Buffer[] {
  try {
    return readdirSync(folder, { encoding: "buffer" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}
