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
export { listCgroup, prepareCgroups, removeCgroup, sweepCgroups } from "./cgroups.ts";
export { runProcess, type RunControl, type RunOptions, type RunResult } from "./run-process.ts";
// What a step's specification and a container's have in common: `containers` makes its own of these.
export { capabilityNames, defaultCapabilities, readCapabilities } from "./capabilities.ts";
export { defaultMounts, maskedPaths, readonlyPaths, withoutRepeats } from "./default-mounts.ts";
export { withHome } from "./home-folder.ts";
export { keepLockedFlags } from "./locked-flags.ts";
export { cgroupParentPath, makeUser } from "./make-spec.ts";
export { makeMountPoints, type MountPoint } from "./mount-points.ts";
export {
  writeSpec,
  type OciCapabilities,
  type OciDevice,
  type OciDeviceRule,
  type OciLinux,
  type OciMount,
  type OciNamespace,
  type OciResources,
  type OciSpec,
  type SeccompProfile,
  type SeccompRule,
} from "./oci-spec.ts";
export { logFormats, readComplaint, readStartFailure } from "./runtime-log.ts";
export { makeSeccompProfile } from "./seccomp.ts";
export { modeOf } from "./tmpfs-modes.ts";
export { makeRlimits } from "./ulimits.ts";
export { makeWorkingFolder } from "./working-folder.ts";
