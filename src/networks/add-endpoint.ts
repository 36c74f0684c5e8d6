import { VarveError } from "../errors/index.ts";
import { newLinkName, type EndpointRow, type NetworkRow, type NetworkRows } from "./network-rows.ts";
import { macOf, takeAddress } from "./take-address.ts";
import type { EndpointWish, NetworkEndpoint } from "./types.ts";

/** Takes an address for a container and writes it down, in the caller's transaction. */
export function addEndpoint(
  rows: NetworkRows,
  container: string,
  position: number,
  network: NetworkRow,
  wish: EndpointWish,
): EndpointRow {
  const [subnet] = network.subnets;
  if (subnet === undefined) throw new TypeError(`the network ${network.name} has no subnet`);
  const bad = wish.aliases.find((alias) => !/^[\w.-]+$/.test(alias));
  if (bad !== undefined) throw new VarveError("NETWORK_INVALID", `invalid alias: ${JSON.stringify(bad)}`);
  if (network.predefined && wish.aliases.length > 0)
    throw new VarveError("NETWORK_INVALID", "network-scoped alias is supported only for containers in user defined networks");
  if (wish.ipv4 !== undefined && (network.predefined || network.chosen))
    throw new VarveError(
      "NETWORK_INVALID",
      network.predefined
        ? "user specified IP address is supported on user defined networks only"
        : "user specified IP address is supported only when connecting to networks with user configured subnets",
    );
  const taken = rows.endpoints().filter((endpoint) => endpoint.network === network.id);
  const ipv4 = takeAddress(
    subnet,
    taken.map((endpoint) => endpoint.ipv4),
    wish.ipv4,
  );
  const mac = wish.macAddress ?? macOf(ipv4);
  const row = { container, network: network.id, position, ipv4, mac, aliases: wish.aliases, link: newLinkName("ve") };
  rows.addEndpoint(row);
  return row;
}

/** An endpoint as others see it. */
export function describeEndpoint(row: EndpointRow, network: NetworkRow): NetworkEndpoint {
  const [subnet] = network.subnets;
  return {
    network: network.name,
    networkId: network.id,
    ipv4: row.ipv4,
    prefixLength: Number(subnet?.subnet.split("/")[1]),
    gateway: network.internal ? "" : (subnet?.gateway ?? ""),
    macAddress: row.mac,
    aliases: row.aliases,
  };
}
