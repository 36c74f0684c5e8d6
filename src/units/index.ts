/**
 * Sizes and durations as the field's tools, written in Go, read them from flags, settings and Dockerfiles. Pure; what a
 * wrong text means is for the caller to say.
 */
export { parseDuration, readDurationMs } from "./duration.ts";
export { parseSize } from "./size.ts";
