/**
 * The state database: one SQLite file in the store folder that several Varve processes share, and the identity of the
 * process that owns unfinished work. Rooms above bring their own tables; nothing here knows what is in them.
 */
export { leasesSchema, openLeases, type Leases, type Use } from "./leases.ts";
export { openState, type State } from "./open-state.ts";
export { asideOf, bootId, isOwnerAlive, listAbandonedAsides, ownerOf, processOwner, startTime } from "./process-owner.ts";
