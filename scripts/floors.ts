/**
 * The floors of the house: a room under `src/` may import only from rooms on lower floors, and only through their
 * `index.ts`. Read by `check-floors.ts` and drawn in ARCHITECTURE.md.
 */
export const floors: readonly (readonly [floor: string, rooms: readonly string[]])[] = [
  ["ground", ["errors"]],
  ["basics", ["events", "flow", "package", "state", "sys", "units", "file-watch"]],
  ["languages", ["dockerfile", "compose-file", "llb", "tar", "oci", "tree"]],
  ["deciding and holding", ["solver", "explain", "frontend", "content", "snapshots", "registry", "runtime", "secrets", "worker"]],
  ["working", ["layers", "cache", "images", "history", "traces", "builders", "networks", "volumes"]],
  ["providing", ["sources", "exporters", "cache-mounts", "cache-transfer", "gc"]],
  ["meaning", ["ops", "containers"]],
  ["assembly", ["engine"]],
  ["composition", ["compose"]],
  ["doors", ["cli"]],
];
