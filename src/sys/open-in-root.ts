import { constants, openSync } from "node:fs";
import { call, cString, syscallNumbers, tryCall } from "./libc.ts";
import { SysError } from "./sys-error.ts";
import { walkInRoot } from "./walk-in-root.ts";

/** Flags of open(2) that node:fs does not name; the same on x86-64 and arm64. */
export const openFlags = { path: 0x200000, cloexec: 0x80000 } as const;

export interface OpenInRootOptions {
  /** Flags of open(2) (`fs.constants.O_*`, {@link openFlags}); close-on-exec is added. */
  readonly flags: number;
  /** For a file that `O_CREAT` makes. Default 0o666. */
  readonly mode?: number;
  /** False: a link at the end is not followed (with `openFlags.path` the link itself is opened, else ELOOP). Default true. */
  readonly followLast?: boolean;
  /** True: any link on the way is ELOOP. Default false. */
  readonly noSymlinks?: boolean;
}

/** Whether the kernel has openat2(2) (5.6) and lets us call it. */
let modern = true;

const resolveNoMagicLinks = 0x02;
const resolveNoSymlinks = 0x04;
const resolveInRoot = 0x10;

/**
 * Opens `path` as if `rootFd` (a folder) were `/`: absolute links, absolute paths and `..` stay inside. Links of /proc
 * that jump elsewhere are refused. Where openat2(2) is missing, the path is walked one component at a time.
 */
export function openInRoot(rootFd: number, path: string | Buffer, options: OpenInRootOptions): number {
  const { flags, mode = 0o666, followLast = true, noSymlinks = false } = options;
  const all = flags | openFlags.cloexec | (followLast ? 0 : constants.O_NOFOLLOW);
  if (modern) {
    const how = Buffer.alloc(24);
    how.writeBigUInt64LE(BigInt(all), 0);
    how.writeBigUInt64LE((all & constants.O_CREAT) === 0 ? 0n : BigInt(mode), 8);
    how.writeBigUInt64LE(BigInt(resolveInRoot | resolveNoMagicLinks | (noSymlinks ? resolveNoSymlinks : 0)), 16);
    const name = path.length === 0 ? cString(".") : cString(path);
    // EAGAIN: something was renamed while `..` was resolved, and the kernel cannot vouch for the answer.
    for (let attempt = 0; attempt < 128; attempt++) {
      const fd = tryCall("openat2", path, [11, 38], (c) => c.openat2(syscallNumbers.openat2, rootFd, name, how, how.length));
      if (fd >= 0) return fd;
      if (fd === -38) {
        modern = false;
        break;
      }
    }
    if (modern) throw new SysError(11, "openat2", path);
  }
  return walkInRoot(rootFd, path, { flags: all, mode, followLast, noSymlinks });
}

/** Opens a folder only as a place (O_PATH): to resolve in, to bind, to name through {@link fdPath}. Follows links. */
export function openPath(path: string | Buffer): number {
  return openSync(path, openFlags.path | constants.O_DIRECTORY | openFlags.cloexec);
}

/** A path that means what `fd` means, whatever was renamed since. Append `/name` for a child of a folder. */
export function fdPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** The target of the link that `fd` names (opened with `openFlags.path` and `followLast: false`). */
export function readLinkAt(fd: number): string {
  return readLinkBytesAt(fd).toString();
}

/** Like {@link readLinkAt}, for targets that need not be UTF-8. */
function readLinkBytesAt(fd: number): Buffer {
  const buffer = Buffer.alloc(4096);
  const length = call("readlinkat", fdPath(fd), (c) => c.readlinkat(fd, cString(""), buffer, buffer.length));
  return buffer.subarray(0, length);
}
