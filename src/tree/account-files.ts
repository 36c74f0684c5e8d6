import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { decodeName } from "./names.ts";
import { openRootedFolder, isMissing } from "./rooted-folder.ts";
import { quote, toTreeError } from "./tree-error.ts";

/** As much of `/etc/passwd` or `/etc/group` as is read from an image: 10 MiB, as in BuildKit. */
const maxAccountFileBytes = 10 * 1024 * 1024;

export interface UserRecord {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export interface GroupRecord {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** The users of the root at `rootPath`, in file order (passwd(5)); none when there is no file. */
export function readUsers(rootPath: string): UserRecord[] {
  return linesOf(rootPath, "/etc/passwd").map((line) => {
    const [name = "", , uid = "", gid = "", , home = ""] = line.split(":");
    return { name, uid: numberOf(uid), gid: numberOf(gid), home };
  });
}

/** The groups of the root at `rootPath`, in file order (group(5)); none when there is no file. */
export function readGroups(rootPath: string): GroupRecord[] {
  return linesOf(rootPath, "/etc/group")
    .filter((line) => !line.startsWith("#"))
    .map((line) => {
      const [name = "", , gid = "", members = ""] = line.split(":");
      return { name, gid: numberOf(gid), members: members === "" ? [] : members.split(",") };
    });
}

/** An id from a file or a user's text. What is no number counts as 0 in these files (moby/sys/user). */
function numberOf(text: string): number {
  return /^[+-]?\d+$/.test(text) ? Number(text) : 0;
}

/** The image's author chose what stands there: a link is followed inside the root only, and only a plain file is read. */
function linesOf(rootPath: string, path: string): string[] {
  const root = openRootedFolder(rootPath);
  try {
    const resolved = root.resolve(path, { followLast: true });
    const fd = openSync(root.place(resolved), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!fstatSync(fd).isFile()) {
        throw new VarveError("TREE_USER_FILE", `${quote(path)} of the image is not a plain file`, { details: { path } });
      }
      return decodeName(readAtMost(fd, path))
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "");
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isMissing(error)) return [];
    throw toTreeError(error, `read ${quote(path)} of the image`, path);
  } finally {
    root.close();
  }
}

function readAtMost(fd: number, path: string): Buffer {
  const pieces: Buffer[] = [];
  let total = 0;
  for (;;) {
    const piece = Buffer.allocUnsafe(64 * 1024);
    const size = readSync(fd, piece, 0, piece.length, null);
    if (size === 0) return Buffer.concat(pieces);
    total += size;
    pieces.push(piece.subarray(0, size));
    if (total > maxAccountFileBytes) {
      throw new VarveError("TREE_USER_FILE", `${quote(path)} of the image is larger than ${maxAccountFileBytes} bytes`, {
        details: { path, maxBytes: maxAccountFileBytes },
      });
    }
  }
}
