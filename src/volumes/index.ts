/**
 * Volumes: named folders of the store that outlive containers. The room makes, lists and removes them; who uses one, it is told.
 * Never mounts, and never looks into what containers keep there.
 */
export type * from "./types.ts";
export { openVolumes, volumesSchema, type VolumesOptions } from "./open-volumes.ts";
