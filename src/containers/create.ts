import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { VarveError } from "../errors/index.ts";
import { checkContainer } from "./check-container.ts";
import { readContainerFacts } from "./container-facts.ts";
import type { ContainerRow } from "./container-store.ts";
import { fillConfig } from "./fill-config.ts";
import { findContainer } from "./find-container.ts";
import { containerPaths } from "./handle.ts";
import { makeMounts } from "./make-mounts.ts";
import { inventName, isContainerName } from "./names.ts";
import type { ContainerRoom } from "./room.ts";
import type { ContainerConfig, ContainerRequest, Containers, HostConfig, PullListener } from "./types.ts";

/** Makes a container that does not run yet. Images are used from here on: its row keeps their snapshots. */
export async function createContainer(
  room: ContainerRoom,
  request: ContainerRequest,
  { signal = new AbortController().signal, onPull }: { readonly signal?: AbortSignal; readonly onPull?: PullListener },
): ReturnType<Containers["create"]> {
  const { store } = room;
  if (request.name !== undefined) checkName(room, request.name);
  using _used = room.leases.hold();
  const image = await room.findImage(request.image, {
    platform: request.platform,
    pull: request.pull ?? "missing",
    onPull,
    signal,
  });
  const id = randomBytes(32).toString("hex");
  const config = pinOthers(room, fillConfig(request, image, id));
  checkNetworks(room, config.host);
  const warnings = checkContainer(config, readContainerFacts());
  const mounts = await makeMounts(room, config.host.mounts, image, { signal });
  const name = request.name ?? inventName((taken) => store.byName(taken) !== undefined);
  const row: ContainerRow = {
    id,
    name: name.replace(/^\//, ""),
    createdMs: Date.now(),
    config,
    layers: image.layers,
    mounts,
    run: {
      status: "created",
      exitCode: 0,
      oomKilled: false,
      error: "",
      restartCount: 0,
      endpoints: {},
      ports: [],
      generation: 0,
    },
  };
  if (!store.add(row)) {
    checkName(room, name);
    throw new VarveError("CONTAINER_NAME_TAKEN", `the container name "/${name}" was taken a moment ago`);
  }
  mkdirSync(containerPaths(room.root, id).folder, { recursive: true, mode: 0o711 });
  room.events.tell(row, "create");
  return { id, name: row.name, warnings };
}

/** Whether a container may have this name; messages are Docker's. */
export function checkName({ store }: Pick<ContainerRoom, "store">, given: string): void {
  const name = given.replace(/^\//, "");
  if (!isContainerName(name)) {
    throw new VarveError("CONTAINER_NAME", `Invalid container name (${given}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  }
  const other = store.byName(name);
  if (other === undefined) return;
  throw new VarveError(
    "CONTAINER_NAME_TAKEN",
    `Conflict. The container name "/${name}" is already in use by container "${other.id}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
}

/** Names of other containers become IDs: they may be renamed before this one starts. */
function pinOthers({ store }: ContainerRoom, config: ContainerConfig): ContainerConfig {
  const pin = <T extends string>(mode: T): T =>
    (mode.startsWith("container:") ? `container:${findContainer(store, mode.slice("container:".length)).id}` : mode) as T;
  const { host } = config;
  const pinned: HostConfig = {
    ...host,
    networkMode: pin(host.networkMode),
    pidMode: pin(host.pidMode),
    ipcMode: pin(host.ipcMode),
  };
  if (!pinned.networkMode.startsWith("container:")) return { ...config, host: pinned };
  const other = store.get(pinned.networkMode.slice("container:".length));
  return { ...config, hostname: other?.config.hostname ?? config.hostname, host: pinned };
}

function checkNetworks({ networks }: ContainerRoom, { networkMode, networks: asked, restart, autoRemove }: HostConfig): void {
  if (autoRemove && restart.name !== "no")
    throw new VarveError("CONTAINER_INVALID", "conflicting options: cannot specify both --restart and --rm");
  for (const name of [networkMode, ...Object.keys(asked)]) {
    if (name !== "default" && !name.startsWith("container:")) networks.get(name);
  }
}
