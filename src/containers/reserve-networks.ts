import type { Attachment, EndpointWish, Reservation } from "../networks/index.ts";
import type { ContainerRow } from "./container-store.ts";
import type { ContainerRoom } from "./room.ts";
import type { HostConfig } from "./types.ts";

/** Takes what a container that is about to start needs of its networks. One that shares another's network takes nothing. */
export async function reserveNetworks(
  { networks }: Pick<ContainerRoom, "networks">,
  row: ContainerRow,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<Reservation> {
  return await networks.reserve(attachmentOf(row), signal === undefined ? {} : { signal });
}

/** What a container wants of its networks. */
export function attachmentOf({ id, name, config }: ContainerRow): Attachment {
  const { host } = config;
  const shared = host.networkMode.startsWith("container:");
  return {
    containerId: id,
    containerName: name,
    hostname: config.hostname,
    ...(config.domainName === undefined ? {} : { domainName: config.domainName }),
    networks: shared ? [] : wishes(host),
    ports: shared ? [] : [...host.ports, ...(host.publishAll ? unpublished(config) : [])],
    extraHosts: host.extraHosts,
    dns: host.dns,
    dnsSearch: host.dnsSearch,
    dnsOptions: host.dnsOptions,
  };
}

/** The networks that a container is on when it runs, that of `--network` first. Names or IDs, as they were given. */
export function networksOf(host: Pick<HostConfig, "networkMode" | "networks" | "leftNetworkMode">): readonly string[] {
  const { networkMode, networks, leftNetworkMode = false } = host;
  if (networkMode.startsWith("container:")) return [];
  const names = [...(leftNetworkMode ? [] : [networkMode]), ...Object.keys(networks)];
  return [...new Set(names.map(nameOf))];
}

function nameOf(network: string): string {
  return network === "default" ? "bridge" : network;
}

function wishes(host: HostConfig): readonly EndpointWish[] {
  const asked = new Map(Object.entries(host.networks).map(([network, endpoint]) => [nameOf(network), endpoint]));
  return networksOf(host).map((network) => {
    const { aliases = [], ipv4, ipv6, macAddress } = asked.get(network) ?? {};
    return {
      network,
      aliases,
      ...(ipv4 === undefined ? {} : { ipv4 }),
      ...(ipv6 === undefined ? {} : { ipv6 }),
      ...(macAddress === undefined ? {} : { macAddress }),
    };
  });
}

function unpublished({ exposedPorts, host }: ContainerRow["config"]): Attachment["ports"] {
  return exposedPorts
    .map((text) => {
      const [port = "", protocol = "tcp"] = text.split("/");
      return { containerPort: Number(port), protocol: protocol === "udp" ? "udp" : "tcp" } as const;
    })
    .filter(({ containerPort, protocol }) =>
      host.ports.every((port) => port.containerPort !== containerPort || port.protocol !== protocol),
    );
}
