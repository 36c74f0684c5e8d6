import type { HostFacts, OciDevice, RuntimeName } from "../runtime/index.ts";
import type { CgroupFacts } from "./cgroup-facts.ts";
import type { MountRequest } from "./types.ts";

/** What a container's specification depends on beside its config: the machine. */
export interface ContainerFacts extends HostFacts {
  readonly cgroups: CgroupFacts;
  /** Files of /sys that tell of the machine's heat, hidden from containers where they exist. */
  readonly thermalPaths: readonly string[];
}

/** Where the pieces of a container are, as its first process (before the runtime) sees them. */
export interface ContainerPlace {
  /** 64 hexadecimal digits; the last part of its cgroup's path. */
  readonly id: string;
  readonly runtime: RuntimeName;
  /** The mounted root. */
  readonly rootPath: string;
  readonly resolvConfPath: string;
  readonly hostsPath: string;
  readonly hostnamePath: string;
  /**
   * Binds and tmpfs: a volume stands here as the bind (or tmpfs) that it is mounted as, with a source that exists; a later one with
   * the same target replaces the earlier.
   */
  readonly mounts: readonly MountRequest[];
  /** Namespaces that others made: of `container:ID`, `/proc/PID/ns/…`. What is not here and not the host's is new. */
  readonly join?: { readonly network?: string; readonly pid?: string; readonly ipc?: string };
  /** Of `--ipc container:ID`: the /dev/shm of that container. */
  readonly shmPath?: string;
  /** The init program of this machine, absolute; needed where the config has `init`. */
  readonly initPath?: string;
}

/** A device of this machine as the container gets it. */
export interface ContainerDevice extends OciDevice {
  /** `rwm`, or less. */
  readonly access: string;
}

/** What was looked up in the container's own files and on the machine, with the root mounted. */
export interface ContainerLookups {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** HOME where the environment has none. */
  readonly home: string;
  readonly devices: readonly ContainerDevice[];
  /** Where mount points lead once the root's links are followed, by the path that was asked for. */
  readonly resolved: ReadonlyMap<string, string>;
  /** Permissions of tmpfs mounts that ask for none, by path. */
  readonly tmpfsModes: ReadonlyMap<string, number>;
}
