/**
 * How work flows: cancellation, deadlines, retries, one flight per key, bounded lanes, and stages over streams of bytes.
 * Knows nothing of files, images or networks; starts nothing that it does not end.
 */
export { joinSignals, reasonOf, sleep, throwIfAborted, unlessAborted, withDeadline, type Deadline } from "./signals.ts";
export { retry, type RetryOptions } from "./retry.ts";
export { singleFlight, type SingleFlight } from "./single-flight.ts";
export { waitForAll } from "./wait-for-all.ts";
export { limiter, type Limiter } from "./limiter.ts";
export { collectBytes, countBytes, endOnAbort, limitBytes, verifyDigest, type ByteSource, type Stage } from "./stages.ts";
