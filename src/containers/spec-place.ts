import type { HostFacts, RuntimeName } from "../runtime/index.ts";
import type { RunUser } from "../tree/index.ts";

/**
 * Everything that a container's specification names beside its config: looked up in its root, in its namespaces, just before the
 * runtime is called. All paths are as the monitor's mount namespace has them.
 */
export interface SpecPlace {
  readonly id: string;
  readonly runtime: RuntimeName;
  readonly facts: HostFacts;
  /** Where the root is mounted. Mount points that are missing in it are made by the runtime. */
  readonly rootPath: string;
  readonly user: RunUser;
  /** Volumes, binds and tmpfs, in the order of mounting. Sources exist. */
  readonly mounts: readonly PlacedMount[];
  /** Files to be mounted at `/etc/hosts`, `/etc/resolv.conf`, `/etc/hostname`, where no mount is at that place. */
  readonly files: { readonly hosts: string; readonly resolvConf: string; readonly hostname: string };
  /** Paths of namespaces to join, such as `/proc/PID/ns/net`, "host" for the machine's own; undefined: a new one. */
  readonly namespaces: {
    readonly network?: string;
    readonly pid?: string;
    readonly ipc?: string;
    readonly uts?: string;
  };
  /** `/dev/shm` of the container whose ipc namespace is shared. */
  readonly sharedShm?: string;
  /** `/dev/init` of the container: the program for `--init`, on this machine. */
  readonly initPath?: string;
}

export type PlacedMount =
  | {
      readonly type: "bind";
      readonly source: string;
      readonly target: string;
      readonly readonly: boolean;
      readonly propagation?: string;
      readonly nonRecursive?: boolean;
    }
  | { readonly type: "tmpfs"; readonly target: string; readonly readonly: boolean; readonly options: readonly string[] };
