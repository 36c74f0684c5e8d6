/**
 * Containers: what was built, running. Each is a row of the state database and a folder of the store; its root is mounted in a
 * mount namespace of its own, which lives as long as its monitor (conmon) or a process of it. No daemon: whoever looks asks the
 * kernel. Never builds, never talks to a registry.
 */
export type * from "./types.ts";
export type { ContainerHandle } from "./handle.ts";
export { namesFolder, planCopy, splitLast, type CopyEnd, type CopyPlan } from "./copy-names.ts";
export { findLocalDestination, findLocalSource, packLocal, unpackLocal, type LocalEnd } from "./copy-local.ts";
export { defaultHost } from "./fill-config.ts";
export { containersSchema } from "./container-store.ts";
export { networksOf } from "./reserve-networks.ts";
export { findImageUsers, findVolumeUsers, isContainerUp, snapshotUsers } from "./uses.ts";
export { openContainers, type ContainersRoom } from "./open-containers.ts";
export type { ContainersOptions, FindImageOptions, FoundImage, NewImage } from "./room.ts";
