import { chmodSync, closeSync, constants, fchmodSync, fchownSync, fstatSync, lchownSync, openSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { fdPath, futimens, hasCode, lsetxattr, openFlags, SysError, utimensNoFollow, type FileTime } from "../sys/index.ts";
import { isForeignAttribute } from "./overlay-marks.ts";

export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly xattrs: Iterable<readonly [string, Uint8Array]>;
  /** Left out for folders, whose times are set when nothing more is written into them. */
  readonly mtime?: FileTime;
}

export interface AttributeTarget {
  /** What lies there. */
  readonly kind: "file" | "folder" | "symlink" | "other";
  /** An open file of it, where there is one. */
  readonly fd?: number;
  /** For messages. */
  readonly name: string;
  /** The owner is known to be right. Default false. */
  readonly keepOwner?: boolean;
}

/**
 * Sets what the archive says of a file, in the one order that keeps it all: the owner first, since changing it takes away
 * set-user-ID bits and capabilities.
 */
export function setAttributes(
  path: string | Buffer,
  { mode, uid, gid, xattrs, mtime }: Attributes,
  { kind, fd, name, keepOwner = false }: AttributeTarget,
): void {
  if (!keepOwner) setOwner(path, { uid, gid, name, fd });
  for (const [key, value] of xattrs) setXattr(path, key, value, kind);
  if (fd !== undefined) fchmodSync(fd, mode);
  else if (kind !== "symlink") chmodNoFollow(path, mode);
  if (mtime === undefined) return;
  if (fd === undefined) utimensNoFollow(path, { atime: mtime, mtime });
  else futimens(fd, { atime: mtime, mtime });
}

/** chmod(2) follows a link, and somebody else may put one there at any moment, where the root is that of a running container. */
function chmodNoFollow(path: string | Buffer, mode: number): void {
  const fd = openSync(path, openFlags.path | constants.O_NOFOLLOW);
  try {
    if (fstatSync(fd).isSymbolicLink()) throw new SysError(40, "chmod", path);
    chmodSync(fdPath(fd), mode);
  } finally {
    closeSync(fd);
  }
}

/** 4294967295 is -1, which means "leave it" to chown(2). */
const highestId = 0xffff_fffe;

function setOwner(
  path: string | Buffer,
  { uid, gid, name, fd }: { uid: number; gid: number; name: string; fd?: number | undefined },
): void {
  if (uid > highestId || gid > highestId)
    throw new VarveError("LAYER_MALFORMED", `the owner ${uid}:${gid} of "${name}" is no user and group`);
  try {
    if (fd === undefined) lchownSync(path, uid, gid);
    else fchownSync(fd, uid, gid);
  } catch (error) {
    if (!hasCode(error, "EINVAL", "EPERM")) throw error;
    throw new VarveError("LAYER_OWNER_UNMAPPED", `"${name}" belongs to ${uid}:${gid}, which this process cannot give it`, {
      cause: error,
      hint: "give the user more subordinate IDs in /etc/subuid and /etc/subgid (65536 are usual), and install newuidmap",
    });
  }
}

function setXattr(path: string | Buffer, key: string, value: Uint8Array, kind: string): void {
  // trusted.* and the overlay's own would let a layer forge whiteouts and redirects.
  if (isForeignAttribute(key)) return;
  try {
    lsetxattr(path, key, value);
  } catch (error) {
    // As containerd does: file systems without attributes, and user.* on what may have none (xattr(7)).
    if (hasCode(error, "ENOTSUP", "EOPNOTSUPP")) return;
    if (hasCode(error, "EPERM") && key.startsWith("user.") && kind !== "file" && kind !== "folder") return;
    throw error;
  }
}
