import { getSystemErrorName } from "node:util";

/** A Linux call that failed. Shaped like Node's own system errors, so that callers can treat both alike. */
export class SysError extends Error {
  /** Positive, as in errno.h. (Node's own errors carry it negative.) */
  readonly errno: number;
  /** `ENOENT` and the like; `E` and the number when it has no name. */
  readonly code: string;
  readonly syscall: string;
  readonly path: string | undefined;

  constructor(errno: number, syscall: string, path?: string | Buffer, detail?: string) {
    const code = errnoName(errno);
    const shown = path === undefined ? undefined : path.toString();
    super(`${code}: ${syscall}${shown === undefined ? "" : ` '${shown}'`}${detail ? ` (${detail})` : ""}`);
    this.name = "SysError";
    this.errno = errno;
    this.code = code;
    this.syscall = syscall;
    this.path = shown;
  }
}

/** True when `error` is a failed system call (Node's or ours) with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);
}

function errnoName(errno: number): string {
  const name = getSystemErrorName(-errno);
  return /^E[A-Z0-9]+$/.test(name) ? name : (unnamed[errno] ?? `E${errno}`);
}

/** Numbers that libuv has no name for; the same on every architecture that Varve runs on. */
const unnamed: Readonly<Record<number, string>> = {
  61: "ENODATA",
  62: "ETIME",
  75: "EOVERFLOW",
  116: "ESTALE",
  117: "EUCLEAN",
  122: "EDQUOT",
};
