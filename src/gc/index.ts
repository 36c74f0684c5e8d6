/**
 * Store care: what is in a store and how much room it takes, who needs it, what goes first when room is wanted, and the
 * removal. What goes is decided by a pure function; nothing that an image or a running build needs ever goes. It opens no
 * snapshot and never decides when it is called.
 */
export { parseCondition, type RecordFilter } from "./filter.ts";
export { gcHandlers } from "./handlers.ts";
export { createImageNeeds, readFoundations } from "./needs.ts";
export { pruneStore, type PruneOptions, type PruneOutcome } from "./prune.ts";
export { createQuota, type Quota } from "./quota.ts";
export type { StoreRooms } from "./rooms.ts";
export { gcRules, noGcSettings, quotaOf, readGcSettings, type GcSettings } from "./settings.ts";
export { readDisk, surveyStore, type Survey } from "./survey.ts";
export type { DiskFacts, PruneRule, RecordType, StoreRecord, Victim } from "./types.ts";
