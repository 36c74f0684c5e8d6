/**
 * The record of builds: one row for each build in the state database, and a file with all its events. It writes while
 * a build runs and reads afterwards; it never fails a build, never cuts a log, and knows nothing of how builds run.
 */
export { nameBuild } from "./build-name.ts";
export { readCheckout, type Checkout } from "./checkout.ts";
export { openHistory, type HistoryStore, type Retention } from "./history-store.ts";
export { historySchema } from "./records.ts";
export { createRef } from "./ref.ts";
export type { Outcome, Recorder, RecorderOptions } from "./recorder.ts";
export type * from "./types.ts";
