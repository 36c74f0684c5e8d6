/** One process of a build step, and what it may see. Everything is resolved: no names to look up, no variables. */
export interface ContainerProcess {
  /** The first is the program: a path, or a name that is looked up in the PATH of `env`. At least one. */
  readonly args: readonly string[];
  /** `NAME=value`. HOME is added when it is missing, from the root's /etc/passwd. */
  readonly env: readonly string[];
  /** Absolute. Made when missing, owned by `user`. */
  readonly cwd: string;
  readonly user: ContainerUser;
  /** "" is `buildkitsandbox`. */
  readonly hostname: string;
  /** "host" shares the network of the worker. */
  readonly network: "host" | "none";
  readonly security: "sandbox" | "insecure";
  readonly ulimits: readonly Ulimit[];
  /** Size of /dev/shm. Default 64 MiB. */
  readonly shmBytes?: number;
  readonly readonlyRoot: boolean;
  /** Lines for /etc/hosts after the usual ones. */
  readonly extraHosts: readonly { readonly host: string; readonly ip: string }[];
  /** In the order of mounting; a later one with the same destination replaces the earlier. */
  readonly mounts: readonly ContainerMount[];
  /** Docker's `--cgroup-parent`, a path of cgroups; only for root. */
  readonly cgroupParent?: string;
}

/** Ids inside the container. */
export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  /** The primary group is added by {@link makeSpec}: without it a step could regain a group it gave up (CVE-2022-36109). */
  readonly additionalGids: readonly number[];
}

/** Docker's `--ulimit`; −1 is no limit. */
export interface Ulimit {
  /** As setrlimit(2) calls it, lower case without `RLIMIT_`: `nofile`. */
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/** Something mounted into the container. `destination` is absolute. */
export type ContainerMount = BindMount | TmpfsMount;

export interface BindMount {
  readonly type: "bind";
  /** A file or folder as the worker sees it; the caller resolved it, links and all. */
  readonly source: string;
  readonly destination: string;
  readonly readonly: boolean;
  /** Beside that: `nosuid`, `nodev`, `noexec`. */
  readonly flags?: readonly MountFlag[];
}

export interface TmpfsMount {
  readonly type: "tmpfs";
  readonly destination: string;
  readonly readonly: boolean;
  /** Default: half of the memory, as the kernel has it. */
  readonly sizeBytes?: number;
}

export type MountFlag = "nosuid" | "nodev" | "noexec";

export const defaultHostname = "buildkitsandbox";
