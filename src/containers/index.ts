/**
 * Containers: what was built, running. Each is a row of the state database and a folder of the store; its root is mounted in a
 * mount namespace of its own, which lives as long as its monitor (conmon) or a process of it. No daemon: whoever looks asks the
 * kernel. Never builds, never talks to a registry.
 */
export type * from "./types.ts";
export type { ContainerHandle } from "./handle.ts";
