import { closeSync, readSync, rmSync } from "node:fs";
import { attach, mount } from "./mount.ts";
import { call, cString, syscallNumbers } from "./libc.ts";
import { openPath } from "./open-in-root.ts";
import { SysError, hasCode } from "./sys-error.ts";

export interface OverlayOptions {
  /** Folders, bottom first. At least one with `upper`, at least two without. At most 500 (the kernel's limit). */
  readonly lowers: readonly string[];
  /** Where changes go; without it the mount is read-only. */
  readonly upper?: string;
  /** A folder of the overlay's own on the same file system as `upper`. */
  readonly work?: string;
  readonly target: string;
  /** Keep overlay's marks in `user.overlay.*` (needed in a user namespace) instead of `trusted.overlay.*`. */
  readonly userXattr: boolean;
}

type Setting = readonly [key: string, value: string | undefined];

/** Whether mounting with `lowerdir+` (Linux 6.7 or so) works is found out by the first mount. */
let modern: boolean | undefined;

/**
 * Mounts an overlay. Writes are volatile where the kernel can (5.10): nothing is synced on unmount, so who keeps the
 * upper folder calls `syncfs`. Redirects and metadata-only copies are off: every changed file is whole in `upper`.
 */
export function mountOverlay(options: OverlayOptions): void {
  const { lowers, upper, work } = options;
  if (lowers.length < (upper === undefined ? 2 : 1)) throw new SysError(22, "overlay with too few folders", options.target);
  if ((upper === undefined) !== (work === undefined))
    throw new SysError(22, "overlay needs upper and work together", options.target);
  // The mark that a volatile mount leaves behind; it would refuse the next mount of the same upper folder.
  if (work !== undefined) rmSync(`${work}/work/incompat`, { recursive: true, force: true });
  if (modern !== false) {
    try {
      mountWithContext(options);
      modern = true;
      return;
    } catch (error) {
      if (modern === true || !hasCode(error, "ENOSYS", "EINVAL", "EPERM", "ENODEV")) throw error;
      try {
        mountWithString(options);
        modern = false;
        return;
      } catch {
        throw error; // the newer call's failure says more
      }
    }
  }
  mountWithString(options);
}

function settings(options: OverlayOptions): Setting[] {
  const marks: Setting[] = options.userXattr
    ? [["userxattr", undefined]]
    : [
        ["redirect_dir", "off"],
        ["metacopy", "off"],
      ];
  return options.upper === undefined ? marks : [...marks, ["index", "off"], ["volatile", undefined]];
}

function mountWithContext(options: OverlayOptions): void {
  const context = call("fsopen", "overlay", (c) => c.fsopen(syscallNumbers.fsopen, cString("overlay"), 1));
  const configure = (command: number, key: string | undefined, value: string | undefined): void => {
    const [k, v] = [key, value].map((text) => (text === undefined ? null : cString(text)));
    try {
      call("fsconfig", value ?? key, (c) => c.fsconfig(syscallNumbers.fsconfig, context, command, k ?? null, v ?? null, 0));
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      throw new SysError(error.errno, "overlay mount", value ?? key ?? options.target, readMessages(context));
    }
  };
  const set = ([key, value]: Setting): void => configure(value === undefined ? 0 : 1, key, value);
  try {
    set(["source", "overlay"]);
    for (const setting of settings(options)) set(setting);
    for (const lower of options.lowers.toReversed()) set(["lowerdir+", lower]);
    if (options.upper !== undefined) set(["upperdir", options.upper]);
    if (options.work !== undefined) set(["workdir", options.work]);
    configure(6, undefined, undefined); // FSCONFIG_CMD_CREATE
    const mounted = call("fsmount", options.target, (c) => c.fsmount(syscallNumbers.fsmount, context, 1, 0));
    try {
      attach(mounted, options.target);
    } finally {
      closeSync(mounted);
    }
  } finally {
    closeSync(context);
  }
}

/** What the kernel has to say about a failure: one message per read, ENODATA after the last. */
function readMessages(context: number): string {
  const buffer = Buffer.alloc(512);
  const messages: string[] = [];
  for (let i = 0; i < 8; i++) {
    try {
      messages.push(buffer.toString("utf8", 0, readSync(context, buffer)).trim());
    } catch {
      break; // no more messages
    }
  }
  return messages.join("; ");
}

/**
 * mount(2), whose options must fit one page: the folders are named by short /proc/self/fd paths (room for about 230),
 * which also need no quoting of commas and colons. Exported for its test.
 */
export function mountWithString(options: OverlayOptions): void {
  const fds: number[] = [];
  const short = (path: string): string => {
    const fd = openPath(path);
    fds.push(fd);
    return `/proc/self/fd/${fd}`;
  };
  try {
    const parts = [`lowerdir=${options.lowers.toReversed().map(short).join(":")}`];
    if (options.upper !== undefined) parts.push(`upperdir=${short(options.upper)}`);
    if (options.work !== undefined) parts.push(`workdir=${short(options.work)}`);
    const attempt = (set: readonly Setting[]): void => {
      const extra = set.map(([key, value]) => (value === undefined ? key : `${key}=${value}`));
      mount("overlay", options.target, "overlay", 0, [...parts, ...extra].join(","));
    };
    const wanted = settings(options);
    try {
      attempt(wanted);
    } catch (error) {
      if (!hasCode(error, "EINVAL")) throw error;
      attempt(wanted.filter(([key]) => key === "userxattr")); // kernels that lack one of the others
    }
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}
