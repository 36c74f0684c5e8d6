import { open } from "node:fs/promises";
import { isVarveError, VarveError } from "../errors/index.ts";

/** The code of a failed system call, e.g. `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** A failed system call as an error of the store; errors that have a code of ours already stay as they are. */
export function storeError(error: unknown, attempt: string): unknown {
  const errno = errnoOf(error);
  if (isVarveError(error) || errno === undefined) return error;
  if (errno === "ENOSPC" || errno === "EDQUOT") {
    return new VarveError("DISK_FULL", `no room on the disk to ${attempt}`, {
      cause: error,
      hint: "free some space, for example with varve builder prune",
    });
  }
  return new VarveError("CONTENT_STORE", `could not ${attempt}: ${(error as Error).message}`, {
    cause: error,
  });
}

/** Makes renames in a folder last: after this a crash of the machine does not undo them. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
