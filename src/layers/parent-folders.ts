import { closeSync, constants, lstatSync, mkdirSync, openSync, readlinkSync, unlinkSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { fdPath, hasCode, lgetxattr, llistxattr, openFlags, openInRoot } from "../sys/index.ts";
import type { FileTime } from "../sys/index.ts";
import { setAttributes } from "./attributes.ts";
import { showPath, toFsPath, type BytePath } from "./byte-path.ts";
import { findLowerPath, type LowerFolder } from "./lower-view.ts";
import { isWhiteout, markOpaque } from "./overlay-marks.ts";

/** The folders of a tree that is being written, as open places: what is done in one happens there, whatever its path is by now. */
export interface ParentFolders {
  /** The folder, made with its parents where missing. Links are followed inside the root. Stays open for the next 60 calls or so. */
  ensure(parts: readonly BytePath[]): number;
  /** The folder if it is there. */
  find(parts: readonly BytePath[]): number | undefined;
  /**
   * Something that was there is gone: open places may not be what their paths lead to any more. They stay open until the
   * next call of the others, for who is working in one.
   */
  forget(): void;
  close(): void;
}

export interface ParentOptions {
  readonly rootFd: number;
  readonly lowers: LowerFolder;
  readonly userXattr: boolean;
  /** A folder was made that has no entry of its own (yet): its time, by its real path. */
  readonly onMade: (parts: readonly BytePath[], mtime: FileTime) => void;
  /** What becomes of a link on the way that climbs above the root: it stops there, as it would at `/`, or is refused. */
  readonly climbing: "stops" | "refused";
}

const maxOpen = 64;
const maxLinks = 255;
const folderFlags = openFlags.path | openFlags.cloexec | constants.O_DIRECTORY;

export function openParentFolders(options: ParentOptions): ParentFolders {
  const { rootFd } = options;
  /** In order of use, oldest first. */
  const open = new Map<BytePath, number>();

  let stale = false;

  function remember(key: BytePath, fd: number): number {
    open.set(key, fd);
    if (open.size > maxOpen) {
      const [oldest] = open;
      if (oldest !== undefined) {
        open.delete(oldest[0]);
        closeSync(oldest[1]);
      }
    }
    return fd;
  }

  function recall(key: BytePath): number | undefined {
    if (stale) closeAll();
    const known = open.get(key);
    if (known === undefined) return undefined;
    open.delete(key);
    open.set(key, known);
    return known;
  }

  function lookUp(key: BytePath): number | undefined {
    const known = recall(key);
    if (known !== undefined) return known;
    try {
      return remember(key, openInRoot(rootFd, toFsPath(key), { flags: folderFlags }));
    } catch (error) {
      if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
      throw error;
    }
  }

  function closeAll(): void {
    for (const fd of open.values()) closeSync(fd);
    open.clear();
    stale = false;
  }

  return {
    find: (parts) => (parts.length === 0 ? rootFd : lookUp(parts.join("/"))),
    ensure(parts) {
      if (parts.length === 0) return rootFd;
      const key = parts.join("/");
      // The system's own walk does not tell of climbing.
      const known = options.climbing === "refused" ? recall(key) : lookUp(key);
      return known ?? remember(key, makeFolders(parts, options));
    },
    forget: () => void (stale = true),
    close: closeAll,
  };
}

/** Walks from the root, makes what is missing, and follows links by hand, so that one to a missing folder makes that folder. */
function makeFolders(parts: readonly BytePath[], options: ParentOptions): number {
  const trail: { readonly fd: number; readonly name: BytePath }[] = [];
  const here = (): number => trail.at(-1)?.fd ?? options.rootFd;
  const closeTrail = (keep?: number): void => {
    for (const { fd } of trail.splice(0)) if (fd !== keep) closeSync(fd);
  };
  let pending = [...parts];
  let links = 0;
  try {
    for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        const left = trail.pop();
        if (left !== undefined) closeSync(left.fd);
        else if (options.climbing === "refused")
          throw new VarveError(
            "LAYER_MALFORMED",
            `a link on the way to "${showPath(parts.join("/"))}" leads out of the folder that is unpacked into`,
          );
        continue;
      }
      const path = toFsPath(`${fdPath(here())}/${name}`);
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats?.isSymbolicLink() === true) {
        links += 1;
        if (links > maxLinks)
          throw new VarveError("LAYER_MALFORMED", `the links on the way to "${showPath(parts.join("/"))}" go in circles`);
        const target = readlinkSync(path, "latin1");
        if (target.startsWith("/")) closeTrail();
        pending = [...target.split("/"), ...pending];
        continue;
      }
      const whiteout = stats !== undefined && isWhiteout(stats);
      if (whiteout) unlinkSync(path);
      if (stats === undefined || whiteout) {
        makeFolder(path, [...trail.map((each) => each.name), name], options);
        if (whiteout) markOpaque(path, options.userXattr);
      } else if (!stats.isDirectory()) {
        throw new VarveError("LAYER_MALFORMED", `"${showPath(parts.join("/"))}" would lie below what is no folder`);
      }
      trail.push({ fd: openSync(path, folderFlags | constants.O_NOFOLLOW), name });
    }
    const last = trail.at(-1)?.fd ?? openInRoot(options.rootFd, ".", { flags: folderFlags });
    closeTrail(last);
    return last;
  } finally {
    closeTrail();
  }
}

/** A folder that the layer takes for granted looks as it does below (containerd does the same), else 0755 of root, from 1970. */
function makeFolder(path: string | Buffer, parts: readonly BytePath[], { lowers, onMade }: ParentOptions): void {
  mkdirSync(path, 0o755);
  const name = showPath(parts.join("/"));
  const below = findLowerPath(lowers, parts);
  if (below?.folder === undefined) {
    setAttributes(path, { mode: 0o755, uid: 0, gid: 0, xattrs: [] }, { kind: "folder", name });
    onMade(parts, { sec: 0n, nsec: 0 });
    return;
  }
  const source = toFsPath(below.path);
  const { mode, uid, gid, mtimeNs } = below.stats;
  const xattrs = llistxattr(source).map((key) => [key, lgetxattr(source, key) ?? Buffer.alloc(0)] as const);
  setAttributes(path, { mode: Number(mode & 0o7777n), uid: Number(uid), gid: Number(gid), xattrs }, { kind: "folder", name });
  onMade(parts, splitNanoseconds(mtimeNs));
}

/** stat(2)'s nanoseconds since 1970 as the two numbers of utimensat(2). */
export function splitNanoseconds(time: bigint): FileTime {
  const nsec = ((time % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { sec: (time - nsec) / 1_000_000_000n, nsec: Number(nsec) };
}
