import { join } from "node:path";

/**
 * How to reach a container that exists in the kernel: created or running. `pid` and `monitorPid` are of this machine's pid namespace.
 * Everything that belongs to its root happens inside the monitor's namespaces, which {@link ContainerHandle.enter} leads to: the
 * overlay is mounted there and nowhere else, and crun finds its cgroups there.
 */
export interface ContainerHandle {
  readonly id: string;
  /** `containers/ID` of the store, absolute: the bundle (`config.json`), `ctr.log`, `attach`, `ctl`, `exit/ID`. */
  readonly folder: string;
  /** The container's first process. `/proc/PID/root` is its root as it sees it, all mounts included. */
  readonly pid: number;
  /** conmon. */
  readonly monitorPid: number;
  /** Store folders can be deep, and a socket's name at most 107 bytes long: connect through `/proc/self/fd/FD_OF_FOLDER/attach`. */
  readonly attachSocketPath: string;
  /** conmon's named pipe for the terminal's size: `1 HEIGHT WIDTH\n`. */
  readonly controlPath: string;
  /**
   * Words to put before a command, so that it runs in the (user and) mount namespace of the monitor, as root of it; the pid namespace
   * stays the machine's: `nsenter --target PID [--user] --mount --`. Open file descriptors are inherited.
   */
  readonly enter: readonly string[];
  /** The OCI runtime with its global arguments; a subcommand and the id follow: `[...runtime, "exec", id, …]`. */
  readonly runtime: readonly string[];
  /** The runtime's program and its global arguments, as conmon takes them (`--runtime PATH`, `--runtime-arg ARG` each). */
  readonly runtimePath: string;
  readonly runtimeArguments: readonly string[];
  /** conmon's path. */
  readonly monitorPath: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  /** Where it was made without root: its ids are the user's subordinate ones. */
  readonly userNamespace: boolean;
}

/** The paths in a container's folder. */
export interface ContainerPaths {
  readonly folder: string;
  /** What it wrote: the overlay's upper folder. */
  readonly upper: string;
  readonly work: string;
  /** Where its root is mounted, in its monitor's mount namespace only. */
  readonly root: string;
  readonly spec: string;
  readonly log: string;
  readonly attachSocket: string;
  readonly control: string;
  readonly exitFile: string;
  readonly exitFolder: string;
  readonly pidFile: string;
  readonly monitorPidFile: string;
  /** The runtime's own state. */
  readonly runtimeState: string;
  readonly runtimeLog: string;
  readonly hosts: string;
  readonly resolvConf: string;
  readonly hostname: string;
}

/** Where everything of a container is, below the store's folder. */
export function containerPaths(root: string, id: string): ContainerPaths {
  const folder = join(root, "containers", id);
  return {
    folder,
    upper: join(folder, "fs"),
    work: join(folder, "work"),
    root: join(folder, "root"),
    spec: join(folder, "config.json"),
    log: join(folder, "ctr.log"),
    attachSocket: join(folder, "attach"),
    control: join(folder, "ctl"),
    exitFolder: join(folder, "exit"),
    exitFile: join(folder, "exit", id),
    pidFile: join(folder, "pid"),
    monitorPidFile: join(folder, "conmon.pid"),
    runtimeState: join(folder, "state"),
    runtimeLog: join(folder, "runtime.log"),
    hosts: join(folder, "hosts"),
    resolvConf: join(folder, "resolv.conf"),
    hostname: join(folder, "hostname"),
  };
}
