import type { Attachment, EndpointWish, Reservation } from "../networks/index.ts";
import type { ContainerRow } from "./container-store.ts";
import type { ContainerRoom } from "./room.ts";

/** Takes what a container that is about to start needs of its networks. One that shares another's network takes nothing. */
export async function reserveNetworks(
  { networks }: Pick<ContainerRoom, "networks">,
  { id, name, config }: ContainerRow,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<Reservation> {
  const { host } = config;
  const shared = host.networkMode.startsWith("container:");
  const attachment: Attachment = {
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
  return await networks.reserve(attachment, signal === undefined ? {} : { signal });
}

/** The network of `--network` first, then the others that endpoints were asked for. */
function wishes({ networkMode, networks }: ContainerRow["config"]["host"]): readonly EndpointWish[] {
  const names = [...new Set([networkMode, ...Object.keys(networks)])];
  return names.map((network) => {
    const { aliases = [], ipv4, ipv6, macAddress } = networks[network] ?? {};
    return {
      network: network === "default" ? "bridge" : network,
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
