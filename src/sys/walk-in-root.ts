import { closeSync, constants, fstatSync, openSync, readlinkSync } from "node:fs";
import { SysError } from "./sys-error.ts";

const maxLinks = 40; // as in the kernel (MAXSYMLINKS)
const pathOnly = 0x200000 | 0x80000; // O_PATH | O_CLOEXEC

/**
 * What openat2 with RESOLVE_IN_ROOT does, for kernels without it: one component at a time, each opened without
 * following, links expanded by hand, `..` going back along the folders that were opened, never above the root.
 */
export function walkInRoot(
  rootFd: number,
  path: string | Buffer,
  { flags, mode, followLast, noSymlinks }: { flags: number; mode: number; followLast: boolean; noSymlinks: boolean },
): number {
  const trail: number[] = [];
  const current = (): number => trail.at(-1) ?? rootFd;
  const child = (name: Buffer): Buffer => Buffer.concat([Buffer.from(`/proc/self/fd/${current()}/`), name]);
  const rewind = (): void => {
    for (const fd of trail.splice(0)) closeSync(fd);
  };
  let pending = split(Buffer.from(path));
  let links = 0;
  try {
    for (;;) {
      const name = pending.shift();
      if (name === undefined) return openSync(`/proc/self/fd/${current()}/.`, flags, mode);
      if (name.equals(parent)) {
        const left = trail.pop();
        if (left !== undefined) closeSync(left);
        continue;
      }
      const last = pending.length === 0;
      if (last && !followLast) return openSync(child(name), flags | constants.O_NOFOLLOW, mode);
      const target = readLink(child(name));
      if (target !== undefined) {
        links += 1;
        if (noSymlinks || links > maxLinks) throw new SysError(40, "open", path);
        if (target[0] === slash) rewind();
        pending = [...split(target), ...pending];
        continue;
      }
      if (last) return openSync(child(name), flags | constants.O_NOFOLLOW, mode);
      const fd = openSync(child(name), pathOnly | constants.O_NOFOLLOW);
      trail.push(fd);
      // A link that appeared since is opened as itself: the next step through it must not follow it.
      if (!fstatSync(fd).isDirectory()) throw new SysError(20, "open", path);
    }
  } finally {
    rewind();
  }
}

const slash = 0x2f;
const parent = Buffer.from("..");

function split(path: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  for (let i = 0; i <= path.length; i++) {
    if (i < path.length && path[i] !== slash) continue;
    const part = path.subarray(start, i);
    if (part.length > 0 && !(part.length === 1 && part[0] === 0x2e)) parts.push(part);
    start = i + 1;
  }
  return parts;
}

/** The link's target, or undefined for anything that is no link (or is not there: opening it will say so). */
function readLink(path: Buffer): Buffer | undefined {
  try {
    return readlinkSync(path, { encoding: "buffer" });
  } catch {
    return undefined;
  }
}
