import { closeSync, lstatSync, openSync, readlinkSync, readSync, type BigIntStats } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { lgetxattr, llistxattr } from "../sys/index.ts";
import { showPath, toFsPath, type BytePath } from "./byte-path.ts";
import { isForeignAttribute } from "./overlay-marks.ts";

/** Something in a snapshot's folder or in one below it. */
export interface FoundEntry {
  readonly path: BytePath;
  readonly stats: BigIntStats;
}

export type Xattrs = readonly (readonly [name: string, value: Buffer])[];

export function statEntry(path: BytePath): FoundEntry {
  return { path, stats: lstatSync(toFsPath(path), { bigint: true }) };
}

/**
 * The attributes that a layer keeps, by name. An overlay that recorded only a rename or a change of attributes would make a
 * wrong layer: `LAYER_OVERLAY`. (Varve's own mounts switch both off.)
 */
export function readXattrs({ path, stats }: FoundEntry): Xattrs {
  const at = toFsPath(path);
  const names = llistxattr(at);
  if (names.length === 0) return [];
  if (
    names.some((name) => /^(?:trusted|user)\.overlay\.(?:redirect|metacopy)$/.test(name)) &&
    (stats.isDirectory() || stats.isFile())
  ) {
    throw new VarveError("LAYER_OVERLAY", `the overlay kept only a reference for "${showPath(path)}"`, {
      hint: "mount with redirect_dir=off and metacopy=off",
    });
  }
  return names
    .filter((name) => !isForeignAttribute(name))
    .toSorted()
    .map((name) => [name, lgetxattr(at, name) ?? Buffer.alloc(0)]);
}

/**
 * Whether an entry is what the layers below have already, so that it need not be in the layer. As BuildKit decides it: a
 * folder by mode, owner and attributes, whatever its time; everything else also by size and time, and when both times are
 * whole seconds, as a layer's are, by content.
 */
export function isSameEntry(upper: FoundEntry, lower: FoundEntry, upperXattrs: Xattrs): boolean {
  const [a, b] = [upper.stats, lower.stats];
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return false;
  const lowerXattrs = readXattrs(lower);
  if (upperXattrs.length !== lowerXattrs.length) return false;
  const differs = upperXattrs.some(([name, value], i) => lowerXattrs[i]?.[0] !== name || !value.equals(lowerXattrs[i][1]));
  if (differs) return false;
  if (a.isDirectory()) return true;
  if (a.size !== b.size || a.mtimeNs !== b.mtimeNs) return false;
  if (a.mtimeNs % 1_000_000_000n !== 0n) return true;
  const [from, to] = [toFsPath(upper.path), toFsPath(lower.path)];
  if (a.isSymbolicLink()) return readlinkSync(from, "latin1") === readlinkSync(to, "latin1");
  return !a.isFile() || a.size === 0n || hasSameContent(from, to);
}

function hasSameContent(a: string | Buffer, b: string | Buffer): boolean {
  const fds: number[] = [];
  try {
    for (const path of [a, b]) fds.push(openSync(path, "r"));
    const [one, two] = [Buffer.allocUnsafe(1 << 18), Buffer.allocUnsafe(1 << 18)];
    for (;;) {
      const length = fill(fds[0] ?? -1, one);
      if (fill(fds[1] ?? -1, two) !== length || one.compare(two, 0, length, 0, length) !== 0) return false;
      if (length < one.length) return true;
    }
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

function fill(fd: number, buffer: Buffer): number {
  let length = 0;
  for (let got = -1; got !== 0 && length < buffer.length; length += got)
    got = readSync(fd, buffer, length, buffer.length - length, null);
  return length;
}
