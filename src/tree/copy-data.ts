import { closeSync, constants, copyFileSync, openSync, read, write } from "node:fs";
import { promisify } from "node:util";
import { fdPath } from "../sys/index.ts";
import { watchFile } from "./file-hash.ts";
import { errnoName } from "./tree-error.ts";
import type { TreeEntry } from "./tree.ts";

/** Files up to this size are copied in one call in the kernel. What takes longer is done on the thread pool, in pieces. */
export const maxBlockingCopyBytes = 1024 * 1024;
const pieceBytes = 4 * 1024 * 1024;
const [readAsync, writeAsync] = [promisify(read), promisify(write)];

/**
 * Copies the data of an open file to a new one at `target()`, which is not asked after the first wait. Shares blocks where the
 * file system can. TREE_CHANGED when the source does not stay as it is.
 */
export async function copyFileData(
  fd: number,
  options: {
    readonly entry: TreeEntry;
    readonly target: () => string | Buffer;
    readonly pause: (bytes: number) => Promise<void>;
  },
): Promise<void> {
  const { entry, target, pause } = options;
  const check = watchFile(fd, entry.path);
  if (entry.size <= maxBlockingCopyBytes) {
    copyFileSync(fdPath(fd), target(), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    check();
    await pause(entry.size);
    return;
  }
  if (!cloneFile(fd, target())) await copyPieces(fd, target(), pause);
  check();
}

/** Whether the file system could make the copy without copying. */
function cloneFile(fd: number, target: string | Buffer): boolean {
  try {
    copyFileSync(fdPath(fd), target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (["ENOTSUP", "EOPNOTSUPP", "EXDEV", "EINVAL", "ENOTTY", "ENOSYS"].includes(errnoName(error))) return false;
    throw error;
  }
}

async function copyPieces(fd: number, target: string | Buffer, pause: (bytes: number) => Promise<void>): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  const out = openSync(target, O_WRONLY | O_CREAT | O_EXCL, 0o600);
  try {
    const piece = Buffer.allocUnsafeSlow(pieceBytes);
    for (let at = 0; ;) {
      const { bytesRead: size } = await readAsync(fd, piece, 0, piece.length, at);
      if (size === 0) return;
      for (let done = 0; done < size;) done += (await writeAsync(out, piece, done, size - done, at + done)).bytesWritten;
      at += size;
      await pause(size);
    }
  } finally {
    closeSync(out);
  }
}
