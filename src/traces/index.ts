/**
 * What is remembered of builds to explain the next ones: traces of their steps, and lists of the files that contents were made
 * of, packed, in the state database. It keeps little (see the limits) and compares nothing.
 */
export { openTraces, tracesSchema, type SavedTrace, type TraceStore } from "./trace-store.ts";
export { packText } from "./pack-text.ts";
