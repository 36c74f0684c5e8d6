import { closeSync, constants } from "node:fs";
import { fdPath, hasCode, openFlags, openInRoot, utimensNoFollow, type FileTime } from "../sys/index.ts";
import { toFsPath, type BytePath } from "./byte-path.ts";

/** Sets a folder's time, "" being the root. Folders that a later entry replaced by something else are passed over. */
export function setFolderTime(rootFd: number, path: BytePath, mtime: FileTime): void {
  let fd: number;
  try {
    fd = openInRoot(rootFd, toFsPath(path === "" ? "." : path), {
      flags: openFlags.path | constants.O_DIRECTORY,
      followLast: false,
    });
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return;
    throw error;
  }
  try {
    utimensNoFollow(`${fdPath(fd)}/.`, { atime: mtime, mtime });
  } finally {
    closeSync(fd);
  }
}
