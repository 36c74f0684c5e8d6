/**
 * One process in a root, through an OCI runtime (crun or runc): its specification as BuildKit makes it, its network files, its
 * mount points, its output and its end. Lives in the worker, which has mount and pid namespaces of its own.
 * Never mounts the root, never looks up names of users, never decides what a step may do beyond the sandbox it is told.
 */
export { createEmulations, type Emulation } from "./emulation.ts";
export { findRuntime, type Runtime, type RuntimeName } from "./find-runtime.ts";
export { readHostFacts, type HostFacts } from "./host-facts.ts";
export type {
  BindMount,
  ContainerMount,
  ContainerProcess,
  ContainerUser,
  MountFlag,
  TmpfsMount,
  Ulimit,
} from "./container-process.ts";
export { prepareCgroups, sweepCgroups } from "./cgroups.ts";
export { runProcess, type RunControl, type RunOptions, type RunResult } from "./run-process.ts";
