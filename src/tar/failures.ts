import { VarveError } from "../errors/index.ts";

/** The archive is not what the formats allow. */
export function malformed(message: string): VarveError {
  return new VarveError("TAR_MALFORMED", message);
}

/** The archive stops where more must follow. */
export function truncated(position: number): VarveError {
  return new VarveError("TAR_TRUNCATED", `the archive ends at byte ${position}, in the middle of an entry`);
}

/** The archive wants more than the reader allows. */
export function beyond(limit: string, value: number, what: string): VarveError {
  return new VarveError("TAR_LIMIT", `${what} goes beyond the limit ${limit} of ${value}`, {
    details: { limit, value },
  });
}
