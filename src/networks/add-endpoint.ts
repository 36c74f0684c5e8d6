import { VarveError } from "../errors/index.ts";
import { isPlainName } from "./check-words.ts";
import { subnetOf } from "./make-network.ts";
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
  const [subnet, subnet6] = [subnetOf(network, 4), subnetOf(network, 6)];
  if (subnet === undefined) throw new TypeError(`the network ${network.name} has no subnet`);
  checkWish(network, wish);
  const taken = rows.endpoints().filter((endpoint) => endpoint.network === network.id);
  const ipv4 = takeAddress(
    subnet,
    taken.map((endpoint) => endpoint.ipv4),
    wish.ipv4,
  );
  const ipv6 =
    subnet6 &&
    takeAddress(
      subnet6,
      taken.flatMap((endpoint) => endpoint.ipv6 ?? []),
      wish.ipv6,
    );
  const mac = wish.macAddress ?? macOf(ipv4);
  const row = { container, network: network.id, position, ipv4, ipv6, mac, aliases: wish.aliases, link: newLinkName("ve") };
  rows.addEndpoint(row);
  return row;
}

/** Whether a network can give what is wished, but for what others have of it. Fails with NETWORK_INVALID, in Docker's words. */
export function checkWish(network: NetworkRow, wish: EndpointWish): void {
  const bad = wish.aliases.find((alias) => !isPlainName(alias));
  if (bad !== undefined) throw new VarveError("NETWORK_INVALID", `invalid alias: ${JSON.stringify(bad)}`);
  if (network.predefined && wish.aliases.length > 0)
    throw new VarveError("NETWORK_INVALID", "network-scoped alias is supported only for containers in user defined networks");
  const isRefused = (wish.ipv4 !== undefined && network.chosen) || (wish.ipv6 !== undefined && !hasAskedIpv6(network));
  if (isRefused)
    throw new VarveError(
      "NETWORK_INVALID",
      network.predefined
        ? "user specified IP address is supported on user defined networks only"
        : "invalid endpoint settings:\nuser specified IP address is supported only when connecting to networks with user configured subnets",
    );
  if (wish.macAddress !== undefined && !/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(wish.macAddress))
    throw new VarveError("NETWORK_INVALID", `${JSON.stringify(wish.macAddress)} is not a valid mac address`);
}

/** The IPv4 address that {@link addEndpoint} would take. */
export function foreseeAddress(rows: NetworkRows, network: NetworkRow, wish: string | undefined): string {
  const subnet = subnetOf(network, 4);
  if (subnet === undefined) throw new TypeError(`the network ${network.name} has no subnet`);
  const taken = rows.endpoints().filter((endpoint) => endpoint.network === network.id);
  return takeAddress(
    subnet,
    taken.map(({ ipv4 }) => ipv4),
    wish,
  );
}

function hasAskedIpv6(network: NetworkRow): boolean {
  return network.ipv6 && !network.chosenIpv6;
}

/** An endpoint as others see it. */
export function describeEndpoint(row: EndpointRow, network: NetworkRow): NetworkEndpoint {
  const [subnet, subnet6] = [subnetOf(network, 4), subnetOf(network, 6)];
  return {
    network: network.name,
    networkId: network.id,
    ipv4: row.ipv4,
    prefixLength: Number(subnet?.subnet.split("/")[1]),
    gateway: network.internal ? "" : (subnet?.gateway ?? ""),
    ...(row.ipv6 === undefined
      ? {}
      : {
          ipv6: row.ipv6,
          ipv6PrefixLength: Number(subnet6?.subnet.split("/")[1]),
          ipv6Gateway: network.internal ? "" : (subnet6?.gateway ?? ""),
        }),
    macAddress: row.mac,
    aliases: row.aliases,
  };
}
