/**
 * Cache records in the state database: which result a key stands for, and what else was found out about results. It
 * implements the solver's cache over snapshots; it decides nothing and never looks into a snapshot.
 */
export { cacheSchema, createCache, maxTombstones, type Cache, type ListedRecord, type Tombstone } from "./cache-records.ts";
