/**
 * Compose projects on this machine: a project's model over the engine's containers, networks, volumes and builds. It compares what
 * is asked for with what is there, and changes only what differs. Never parses a file, never prints.
 */
export {};
