import { isVarveError, VarveError, type ErrorCode } from "../errors/index.ts";

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "TREE_NOT_FOUND",
  ELOOP: "TREE_LOOP",
  ENOTDIR: "TREE_CONFLICT",
  EISDIR: "TREE_CONFLICT",
  EEXIST: "TREE_CONFLICT",
  ENOTEMPTY: "TREE_CONFLICT",
  EACCES: "TREE_DENIED",
  EPERM: "TREE_DENIED",
  EROFS: "TREE_DENIED",
  ENOSPC: "DISK_FULL",
  EDQUOT: "DISK_FULL",
};

/** The errno's name (`ENOENT`) of an error of node:fs or of `sys`, "" for others. */
export function errnoName(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : "";
}

/** An error of the system as one of Varve's; `doing` completes "cannot …". Every other error passes unchanged. */
export function toTreeError(error: unknown, doing: string, path: string): unknown {
  const name = errnoName(error);
  if (isVarveError(error) || name === "") return error;
  return new VarveError(codes[name] ?? "TREE_IO", `cannot ${doing}: ${reasons[name] ?? name}`, {
    cause: error,
    details: { path, errno: name },
  });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "it, or a folder on the way, does not exist",
  ELOOP: "a symbolic link is in the way",
  ENOTDIR: "something on the way is not a folder",
  EISDIR: "it is a folder",
  EEXIST: "it exists already",
  EACCES: "permission denied",
  EPERM: "the system does not permit it",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk or its inodes are full",
  EDQUOT: "the disk quota is used up",
  EINVAL: "the system does not take the value (an owner may lie outside the user namespace's ids)",
};

/** A path as people read it: quoted, with what is not printable escaped. */
export function quote(path: string): string {
  return JSON.stringify(path);
}
