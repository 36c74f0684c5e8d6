import { VarveError } from "../errors/index.ts";
import { findContainer } from "./find-container.ts";
import { containerPaths } from "./handle.ts";
import { handleOf } from "./observe.ts";
import type { ContainerRoom } from "./room.ts";
import type { SpecPlace } from "./spec-place.ts";
import type { HostConfig } from "./types.ts";

/** What a container shares with the machine or with another one that runs. */
export interface JoinedNamespaces {
  readonly namespaces: SpecPlace["namespaces"];
  readonly files?: SpecPlace["files"];
  readonly sharedShm?: string;
}

/** Finds the namespaces of `host` and `container:ID`. CONTAINER_CONFLICT where the other container does not run. */
export function joinNamespaces(room: ContainerRoom, host: HostConfig): JoinedNamespaces {
  const other = (mode: string, what: string): { pid: number; id: string; files: SpecPlace["files"] } | undefined => {
    if (!mode.startsWith("container:")) return undefined;
    const row = findContainer(room.store, mode.slice("container:".length));
    const handle = row.run.status === "created" ? undefined : handleOf(row, room.root);
    if (handle === undefined)
      throw new VarveError("CONTAINER_CONFLICT", `cannot join ${what} of a non running container: ${row.id}`);
    const { hosts, resolvConf, hostname } = containerPaths(room.root, row.id);
    return { pid: handle.pid, id: row.id, files: { hosts, resolvConf, hostname } };
  };
  const network = other(host.networkMode, "network namespace");
  const pid = other(host.pidMode, "PID namespace");
  const ipc = other(host.ipcMode, "IPC namespace");
  const place = (mode: string, joined: { pid: number } | undefined, name: string) =>
    mode === "host"
      ? { [name]: "host" }
      : joined === undefined
        ? {}
        : { [name]: `/proc/${joined.pid}/ns/${name === "network" ? "net" : name}` };
  return {
    namespaces: {
      ...place(host.networkMode, network, "network"),
      ...place(host.pidMode, pid, "pid"),
      ...place(host.ipcMode, ipc, "ipc"),
      ...place(host.utsMode, undefined, "uts"),
    },
    ...(network === undefined ? {} : { files: network.files }),
    ...(ipc === undefined ? {} : { sharedShm: `/proc/${ipc.pid}/root/dev/shm` }),
  };
}
