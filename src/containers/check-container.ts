import type { ContainerFacts } from "./spec-inputs.ts";
import type { ContainerConfig } from "./types.ts";

/**
 * Refuses what Docker refuses of a container's limits and settings (CONTAINER_LIMIT, its words), and what this machine or this user
 * cannot enforce (CONTAINER_UNSUPPORTED, RUNTIME_ULIMIT, RUNTIME_CGROUP). For `create`; resolves to Docker's warnings. Pure.
 */
export function checkContainer(_config: ContainerConfig, _facts: ContainerFacts): readonly string[] {
  return [];
}
