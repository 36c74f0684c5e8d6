/**
 * The one error class of Varve and the catalogue of its codes.
 *
 * Callers branch on `code` (stable, public) or `kind` (about ten); people read `message` and `hint`. The place in a
 * Dockerfile is added on the way up as `where`. Programmer mistakes are plain `TypeError`s and carry no code.
 */
export { catalogue, type ErrorCode, type ErrorKind } from "./catalogue.ts";
export { didYouMean, nearest, type NearestOptions } from "./nearest.ts";
export { VarveError, isVarveError, redactUrl, type ErrorOptions, type SourceRange } from "./varve-error.ts";
