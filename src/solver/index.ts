/**
 * The solver: which vertices must run, in what order, and which results can be taken from the cache. Pure: it knows
 * ops, results and the cache only as interfaces, touches no file and starts no process.
 *
 * Every vertex has one canonical cache key. Where an input is read by content (a COPY, a read-only mount) the key is
 * made of that content and not of how it came to be, so a step runs again only when something that it reads changed.
 */
export { solve, type SolveOptions } from "./solve.ts";
export type {
  CacheMap,
  CacheRecord,
  CacheStore,
  Dependency,
  ExecContext,
  KeyFacts,
  LoadContext,
  RunCause,
  SolvedVertex,
  SolverEvent,
  SolverOp,
  SolverVertex,
} from "./types.ts";
