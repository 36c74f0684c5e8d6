import { VarveError } from "../errors/index.ts";
import { describeEndpoint } from "./add-endpoint.ts";
import type { WantedLink } from "./links.ts";
import { bridgeOptions, readBool } from "./make-network.ts";
import type { EndpointRow, NetworkRows } from "./network-rows.ts";
import { mtuOf, publishingEndpoint } from "./settle.ts";

/** The interfaces of a container for some of its endpoints; its way out leads through the network that its ports are published of. */
export function describeLinks(rows: NetworkRows, container: string, endpoints: readonly EndpointRow[]): readonly WantedLink[] {
  const networks = rows.networks();
  const mine = rows.endpoints().filter((endpoint) => endpoint.container === container);
  const leading = publishingEndpoint(mine, networks);
  return endpoints.map((endpoint) => {
    const network = networks.find(({ id }) => id === endpoint.network);
    if (network === undefined) throw new VarveError("NETWORK_NOT_FOUND", `network ${endpoint.network} not found`);
    const { prefixLength, gateway, ipv6, ipv6PrefixLength = 0, ipv6Gateway = "" } = describeEndpoint(endpoint, network);
    return {
      link: endpoint.link,
      bridge: network.bridge,
      interface: `eth${endpoint.position}`,
      addresses: [`${endpoint.ipv4}/${prefixLength}`, ...(ipv6 === undefined ? [] : [`${ipv6}/${ipv6PrefixLength}`])],
      mac: endpoint.mac,
      mtu: mtuOf(network.options),
      isolated: !readBool(network.options[bridgeOptions.reachEachOther], true),
      gateways: endpoint.network === leading?.network ? [gateway, ipv6Gateway].filter((one) => one !== "") : [],
    };
  });
}
