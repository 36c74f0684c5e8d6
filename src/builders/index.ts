/**
 * Builders: named places that solve graphs, kept in the store folder. Today's are all on this machine, each a store of its own
 * with cache and settings; the room knows their names, nodes and options, and which one is used. It opens no store, and builds
 * nothing.
 */
export { assignNodes, type NodeShare } from "./assign-nodes.ts";
export { isWithoutEffect, readDriverOptions, readNodeFlags, type DriverOptions } from "./driver-options.ts";
export { makeBuilderName, readBuilderName } from "./names.ts";
export { openBuilderStore, type BuilderStore } from "./builder-store.ts";
export { defaultBuilder, drivers, type BuilderRecord, type Driver, type NodeRecord, type SolvingNode } from "./types.ts";
