import { isVarveError, type ErrorCode, type ErrorKind } from "../errors/index.ts";
import { BrokenPipe } from "./io.ts";

/** Every exit code and its meaning; the reference in docs/cli.md is made from it. */
export const exitCodes = {
  0: "The command did what it was asked.",
  1: "A step of the build failed, or something named (an image, a file in the context) does not exist.",
  2: "The command line, the Dockerfile or another input is wrong.",
  3: "This machine or this version of Varve cannot do it: not supported yet, no OCI runtime, no permission.",
  4: "A resource is used up: the disk is full, a limit is reached.",
  5: "A registry or another peer in the network failed or refused.",
  6: "A step would run that --require-cached asks to be in the cache.",
  7: "An image was made or found, and could not be sent to its registry; it is in the store.",
  70: "A defect of Varve.",
  130: "Ended by SIGINT (Ctrl-C).",
  141: "Whoever read the output went away.",
  143: "Ended by SIGTERM.",
} as const;

export type ExitCode = keyof typeof exitCodes;

/** The exit code of each kind of error. */
export const exitCodeOfKind: Readonly<Record<ErrorKind, ExitCode>> = {
  failed: 1,
  "not-found": 1,
  "already-exists": 1,
  conflict: 1,
  invalid: 2,
  unsupported: 3,
  denied: 3,
  exhausted: 4,
  unavailable: 5,
  canceled: 130,
  internal: 70,
};

/** Codes whose failure lies in a registry whatever their kind is. */
const ofRegistry = /^(REGISTRY_|CREDENTIALS_)/;
/** Of these, what the user's own settings or commands got wrong. */
const ownFault: readonly ErrorCode[] = ["REGISTRY_CONFIG", "CREDENTIALS_UNWRITABLE"];

/** The code that a command which failed with `error` exits with. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof BrokenPipe) return 141;
  if (!isVarveError(error)) return 70;
  if (error.code === "CANCELED") return error.details["signal"] === "SIGTERM" ? 143 : 130;
  if (error.code === "CACHE_REQUIRED") return 6;
  if (error.code === "PUSH_FAILED") return 7;
  if (ofRegistry.test(error.code) && !ownFault.includes(error.code)) return 5;
  return exitCodeOfKind[error.kind];
}
