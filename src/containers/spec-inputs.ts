import type { HostFacts, OciDevice } from "../runtime/index.ts";
import type { CgroupFacts } from "./cgroup-facts.ts";
import type { SpecPlace } from "./spec-place.ts";
import type { ContainerConfig } from "./types.ts";

/** What a container's specification depends on beside its config: the machine. */
export interface ContainerFacts extends HostFacts {
  readonly cgroups: CgroupFacts;
  readonly cpuCount: number;
  /** Folders of /sys that tell of the machine's heat, hidden from containers where they exist. */
  readonly thermalPaths: readonly string[];
}

/** A device of this machine as the container gets it. */
export interface ContainerDevice extends OciDevice {
  /** Its path on this machine. */
  readonly hostPath: string;
  /** `rwm`, or less. */
  readonly access: string;
}

/** What was looked up in the container's own files and on the machine, with the root mounted. */
export interface ContainerLookups {
  /** Of `--group-add`. */
  readonly groups: readonly number[];
  /** With HOME. */
  readonly env: readonly string[];
  readonly devices: readonly ContainerDevice[];
  /** Where mount points lead once the root's links are followed, by the path that was asked for. */
  readonly resolved: ReadonlyMap<string, string>;
  /** Targets of binds that are no folders: nothing can be mounted below them, and crun's recursive options fail on them. */
  readonly files: ReadonlySet<string>;
  /** Permissions of tmpfs mounts that ask for none, by path. */
  readonly tmpfsModes: ReadonlyMap<string, number>;
}

/** Everything that a container's specification is made of. */
export interface SpecInputs {
  readonly config: ContainerConfig;
  readonly place: SpecPlace;
  readonly lookups: ContainerLookups;
  readonly facts: ContainerFacts;
}
