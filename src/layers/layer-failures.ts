import { VarveError, isVarveError } from "../errors/index.ts";
import { hasCode } from "../sys/index.ts";

/** Gives a failed system call the code that says what it means for a layer. `name` is the entry's. */
export function explainWrite(error: unknown, name: string): unknown {
  if (isVarveError(error) || !(error instanceof Error) || !("code" in error)) return error;
  if (hasCode(error, "ENOSPC", "EDQUOT")) return new VarveError("DISK_FULL", `there is no room for "${name}"`, { cause: error });
  if (hasCode(error, "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EISDIR")) {
    return new VarveError("LAYER_MALFORMED", `"${name}" cannot be where it says (${String(error.code)})`, {
      cause: error,
    });
  }
  return new VarveError("LAYER_WRITE", `"${name}" could not be written: ${error.message}`, {
    cause: error,
  });
}
