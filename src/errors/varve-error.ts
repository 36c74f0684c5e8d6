import { catalogue, type ErrorCode, type ErrorKind } from "./catalogue.ts";

/** A place in a text that a person wrote. Lines and columns count from 1; `endColumn` is one past the last character. */
export interface SourceRange {
  /** Name of the file as the user gave it, e.g. `Dockerfile`. */
  readonly file: string;
  readonly startLine: number;
  readonly startColumn: number;
  readonly endLine: number;
  readonly endColumn: number;
  /** The whole text of the file, so that whoever prints the error can show an excerpt. */
  readonly source?: string;
}

export interface ErrorOptions {
  /** What the reader can do about it: an edit or a command. */
  readonly hint?: string;
  readonly where?: SourceRange;
  readonly cause?: unknown;
  /** Facts for programs, by code. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

const brand = Symbol.for("varve.error");

/** Every failure that Varve foresees. `message` is one sentence without a final full stop. */
export class VarveError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  where: SourceRange | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(stripControls(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "VarveError";
    this.code = code;
    this.kind = catalogue[code].kind;
    this.hint = options.hint;
    this.where = options.where;
    this.details = options.details ?? {};
    Object.defineProperty(this, brand, { value: true });
  }

  /**
   * Says where it happened, unless a place nearer to the cause is known already. Returns the same error. Being called off
   * is no fault of the place that the build had reached: it gets none.
   */
  at(where: SourceRange | undefined): this {
    if (this.kind !== "canceled") this.where ??= where;
    return this;
  }
}

/** True for errors of this class, also those from another copy of the library. */
export function isVarveError(error: unknown): error is VarveError {
  return typeof error === "object" && error !== null && brand in error;
}

/** A URL fit for a log: without user name, password and query values. Texts that are no URL come back unchanged. */
export function redactUrl(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  url.username = "";
  url.password = "";
  for (const key of url.searchParams.keys()) url.searchParams.set(key, "xxxxx");
  return url.toString();
}

function stripControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters from images and registries must not reach a terminal
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "");
}
