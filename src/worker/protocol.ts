import { isVarveError, VarveError, type ErrorCode, type SourceRange } from "../errors/index.ts";

/** Main process → worker. */
export type Request =
  | { readonly type: "setup"; readonly setup: WorkerSetup }
  | { readonly type: "call"; readonly id: number; readonly task: string; readonly params: unknown }
  | { readonly type: "cancel"; readonly id: number };

/** Worker → main process. */
export type Reply =
  | { readonly type: "ready" }
  | { readonly type: "event"; readonly id: number; readonly event: unknown }
  | { readonly type: "result"; readonly id: number; readonly result: unknown }
  | { readonly type: "error"; readonly id: number; readonly error: WireError };

/** Facts that hold for the whole life of a worker. */
export interface WorkerSetup {
  /** The store folder. */
  readonly root: string;
  /** Whether the worker lives in a user namespace (and uses `user.*` attributes for overlay). */
  readonly userNamespace: boolean;
  /** Folders to look for programs in. */
  readonly path: string;
  /** OCI runtime by name or path, where the user chose one. */
  readonly runtime?: string;
}

/** An error as plain data. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly where?: SourceRange;
  readonly details: Readonly<Record<string, unknown>>;
  readonly stack?: string;
  readonly cause?: string;
}

export function toWire(error: unknown): WireError {
  if (isVarveError(error)) {
    return {
      code: error.code,
      message: error.message,
      details: error.details,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.where === undefined ? {} : { where: error.where }),
      ...(error.cause instanceof Error ? { cause: error.cause.message } : {}),
    };
  }
  const { code, message, stack }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  const full = code === "ENOSPC" || code === "EDQUOT";
  return {
    code: full ? "DISK_FULL" : "INTERNAL",
    message: full ? `no space left in the store folder: ${message}` : message,
    details: code === undefined ? {} : { errno: code },
    ...(stack === undefined ? {} : { stack }),
  };
}

export function fromWire(wire: WireError): VarveError {
  const error = new VarveError(wire.code, wire.message, {
    details: wire.details,
    ...(wire.hint === undefined ? {} : { hint: wire.hint }),
    ...(wire.where === undefined ? {} : { where: wire.where }),
    ...(wire.cause === undefined ? {} : { cause: new Error(wire.cause) }),
  });
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}
