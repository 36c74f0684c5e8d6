import { readFileSync, writeFileSync } from "node:fs";
import { isVarveError, VarveError } from "../errors/index.ts";
import type { ContainerFiles, NetworkRecord } from "../networks/index.ts";
import type { ContainerRow } from "./container-store.ts";
import { findContainer } from "./find-container.ts";
import { containerPaths } from "./handle.ts";
import { handleOf } from "./observe.ts";
import { attachmentOf, networksOf } from "./reserve-networks.ts";
import type { ContainerRoom } from "./room.ts";
import type { EndpointRequest, HostConfig } from "./types.ts";

/** Puts a container on one more network: now, where it runs, and whenever it is started. */
export async function connectNetwork(
  room: ContainerRoom,
  name: string,
  networkName: string,
  { endpoint: asked = { aliases: [] }, signal }: { readonly endpoint?: EndpointRequest; readonly signal?: AbortSignal },
): Promise<void> {
  const { id } = findContainer(room.store, name);
  const connectLocked = async (): Promise<void> => {
    const row = findContainer(room.store, id);
    const network = room.networks.get(networkName);
    const netnsPath = netnsOf(room, row);
    const wish = { network: network.id, ...asked };
    const isOn = checkNetworks(room, row, network);
    if (netnsPath === undefined) {
      room.networks.check(wish);
      if (isOn) return;
    } else {
      const refresh = prepareFiles(room, row);
      const endpoint = await room.networks.connect(id, netnsPath, wish, signal === undefined ? {} : { signal });
      room.store.change(id, (run) => ({ ...run, endpoints: { ...run.endpoints, [endpoint.network]: endpoint } }));
      refresh();
    }
    const { leftNetworkMode, ...host } = row.config.host;
    const isOwn = leftNetworkMode === true && findNetwork(room, host.networkMode)?.id === network.id;
    const networks = { ...host.networks, [isOwn ? host.networkMode : network.name]: asked };
    const stays = leftNetworkMode === true && !isOwn ? { leftNetworkMode } : {};
    setHost(room, row, { ...host, ...stays, networks });
  };
  await room.locked(id, connectLocked, { signal });
}

/** Takes a container off a network: now, where it runs, and for its later starts. */
export async function disconnectNetwork(
  room: ContainerRoom,
  name: string,
  networkName: string,
  { force = false, signal }: { readonly force?: boolean; readonly signal?: AbortSignal },
): Promise<void> {
  const { id } = findContainer(room.store, name);
  const disconnectLocked = async (): Promise<void> => {
    const row = findContainer(room.store, id);
    const { host } = row.config;
    const netnsPath = netnsOf(room, row);
    const isForgotten = netnsPath === undefined || force;
    const network = isForgotten ? findNetwork(room, networkName) : room.networks.get(networkName);
    if (netnsPath !== undefined && network !== undefined) {
      if (network.driver === "host" && host.networkMode === "host")
        throw invalid("cannot disconnect container from host network - container was created in host network mode");
      const refresh = prepareFiles(room, row);
      await room.networks.disconnect(id, netnsPath, network.id);
      room.store.change(id, (run) => {
        const { [network.name]: _left, ...endpoints } = run.endpoints;
        return { ...run, endpoints };
      });
      refresh();
    }
    const isIt = (one: string): boolean =>
      one === networkName || (network !== undefined && findNetwork(room, one)?.id === network.id);
    if (netnsPath === undefined && !networksOf(host).some(isIt))
      throw invalid(`container ${id} is not connected to the network ${network?.name ?? networkName}`);
    const networks = Object.fromEntries(Object.entries(host.networks).filter(([one]) => !isIt(one)));
    setHost(room, row, { ...host, networks, ...(isIt(host.networkMode) ? { leftNetworkMode: true } : {}) });
  };
  await room.locked(id, disconnectLocked, { signal });
}

function netnsOf(room: ContainerRoom, row: ContainerRow): string | undefined {
  const handle = handleOf(row, room.root);
  return handle && `/proc/${handle.pid}/ns/net`;
}

function setHost({ store }: ContainerRoom, { id, config }: ContainerRow, host: HostConfig): void {
  store.setConfig(id, { ...config, host });
}

/** Undefined for one that is not there any more. */
function findNetwork({ networks }: ContainerRoom, name: string): NetworkRecord | undefined {
  try {
    return networks.get(name);
  } catch (error) {
    if (isVarveError(error) && error.code === "NETWORK_NOT_FOUND") return undefined;
    throw error;
  }
}

/** Whether the container is on this network; fails where it cannot be on it beside those that it is on. */
function checkNetworks(room: ContainerRoom, { config }: ContainerRow, network: NetworkRecord): boolean {
  const { host } = config;
  const shares = "container sharing network namespace with another container or host cannot be connected to any other network";
  if (host.networkMode.startsWith("container:")) throw invalid(shares);
  if (network.driver === "host" && host.networkMode !== "host")
    throw invalid("cannot connect container to host network - container must be created in host network mode");
  for (const name of networksOf(host)) {
    const own = findNetwork(room, name);
    if (own === undefined) continue;
    if (own.id === network.id) return true;
    if (own.driver === "host") throw invalid(shares);
    if (own.driver === "null" || network.driver === "null") {
      throw invalid("container cannot be connected to multiple networks with one of the networks in private (none) mode");
    }
  }
  return false;
}

function invalid(message: string): VarveError {
  return new VarveError("NETWORK_INVALID", message);
}

/** Returns what brings a running container's files up to date with its networks, and keeps what it wrote there itself. */
function prepareFiles(room: ContainerRoom, row: ContainerRow): () => void {
  const attachment = attachmentOf(row);
  const before = room.networks.files(attachment);
  return () => {
    const paths = containerPaths(room.root, row.id);
    const after: ContainerFiles = room.networks.files(attachment);
    const resolvConf = readFileSync(paths.resolvConf, "utf8");
    if (resolvConf === before.resolvConf) writeFileSync(paths.resolvConf, after.resolvConf);
    writeFileSync(paths.hosts, changeLines(readFileSync(paths.hosts, "utf8"), before.hosts, after.hosts));
  };
}

/** The text with what is new in `after` and without what is gone from `before`, line by line. */
export function changeLines(text: string, before: string, after: string): string {
  const [had, has] = [before, after].map((lines) => new Set(lines.split("\n")));
  const kept = text.split("\n").filter((line) => !(had?.has(line) === true && has?.has(line) !== true));
  const added = [...(has ?? [])].filter((line) => had?.has(line) !== true && !kept.includes(line));
  const whole = kept.join("\n");
  return `${whole}${whole === "" || whole.endsWith("\n") || added.length === 0 ? "" : "\n"}${added.map((line) => `${line}\n`).join("")}`;
}
