import { closeSync, constants, fchmodSync, fchownSync, mkdirSync, openSync, readlinkSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { fdPath, hasCode, openFlags, openInRoot, readLinkAt } from "../sys/index.ts";

export type FileKind = "file" | "folder";

/** Told of each file or folder that was made, before and after; `parent` (O_PATH) is the listener's to close when it returns true. */
export interface MakeListener {
  before(parent: number): void;
  made(parent: number, name: string, kind: FileKind): boolean;
}

export interface MakeOptions {
  readonly kind: FileKind;
  /** Of everything that is made. Default: the worker's own. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Of the folder at the end; what is made above it, and a file, has the usual one. Default 0755. */
  readonly folderMode?: number;
  readonly listener?: MakeListener;
}

const maxLinks = 40;

/**
 * Makes `path` in a root where it is missing, with the folders above it. Links are followed inside the root only; a dangling one
 * is made to lead somewhere, as the runtimes do. What is there already may be of any kind.
 */
export function makeInRoot(root: number, path: string, options: MakeOptions, linksLeft = maxLinks): void {
  if (exists(root, path)) return;
  const trimmed = path.replace(/\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  const name = trimmed.slice(slash + 1);
  const above = trimmed.slice(0, Math.max(slash, 0));
  if (above !== "") {
    makeInRoot(root, above, { ...options, kind: "folder", folderMode: 0o755 }, linksLeft);
    if (exists(root, path)) return; // ".." of a folder that was missing, and what lies behind it
  }
  const parent = openInRoot(root, above === "" ? "." : above, { flags: openFlags.path | constants.O_DIRECTORY });
  let handedOn = false;
  try {
    const target = linkTarget(parent, name);
    if (target === undefined) handedOn = makeHere(parent, name, options);
    else if (linksLeft === 0) throw new VarveError("RUNTIME_MOUNT_POINT", `the path "${path}" is a chain of too many links`);
    else makeInRoot(root, target.startsWith("/") ? target : `${above}/${target}`, options, linksLeft - 1);
  } finally {
    if (!handedOn) closeSync(parent);
  }
}

function makeHere(parent: number, name: string, { kind, owner, folderMode = 0o755, listener }: MakeOptions): boolean {
  listener?.before(parent);
  const child = `${fdPath(parent)}/${name}`;
  if (kind === "folder") mkdirSync(child, { mode: 0o755 });
  const create = kind === "folder" ? constants.O_DIRECTORY : constants.O_CREAT | constants.O_EXCL;
  const fd = openSync(child, constants.O_RDONLY | constants.O_NOFOLLOW | create, 0o644);
  try {
    if (kind === "folder" && folderMode !== 0o755) fchmodSync(fd, folderMode);
    if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
  } finally {
    closeSync(fd);
  }
  return listener?.made(parent, name, kind) ?? false;
}

function exists(root: number, path: string): boolean {
  try {
    closeSync(openInRoot(root, path, { flags: openFlags.path }));
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

/** Where a link points; undefined when `name` is not there. */
function linkTarget(parent: number, name: string): string | undefined {
  let fd: number;
  try {
    fd = openInRoot(parent, name, { flags: openFlags.path, followLast: false });
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    return readLinkAt(fd);
  } finally {
    closeSync(fd);
  }
}

/** Where `path` leads in a root once every link is followed, as an absolute path of the root; it exists. */
export function resolveInRoot(root: number, path: string): string {
  const fd = openInRoot(root, path, { flags: openFlags.path });
  try {
    const prefix = readlinkSync(fdPath(root));
    const place = readlinkSync(fdPath(fd));
    return prefix === "/" ? place : place.slice(prefix.length) || "/";
  } finally {
    closeSync(fd);
  }
}
