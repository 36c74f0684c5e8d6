import { VarveError } from "../errors/index.ts";
import { contains, formatAddress, lastOf, parseAddress, parseCidr } from "./addresses.ts";
import type { Subnet } from "./types.ts";

/** The address that is wished for, or the first free one. Fails with NETWORK_ADDRESS_TAKEN, NETWORK_EXHAUSTED and NETWORK_INVALID. */
export function takeAddress(subnet: Subnet, taken: readonly string[], wish: string | undefined): string {
  const cidr = parseCidr(subnet.subnet);
  const range = subnet.ipRange === undefined ? cidr : parseCidr(subnet.ipRange);
  if (cidr === undefined || range === undefined) throw new TypeError(`${subnet.subnet} is no subnet`);
  const used = new Set([subnet.gateway, ...Object.values(subnet.auxiliary ?? {}), ...taken].map(canonical));
  const kind = `IPv${cidr.family}`;
  if (wish !== undefined) {
    const address = parseAddress(wish);
    if (address === undefined) throw new VarveError("NETWORK_INVALID", `invalid ${kind} address: ${wish}`);
    if (!contains(cidr, address))
      throw new VarveError(
        "NETWORK_INVALID",
        `invalid endpoint settings:\nno configured subnet or ip-range contain the IP address ${wish}`,
      );
    if (used.has(formatAddress(address))) throw new VarveError("NETWORK_ADDRESS_TAKEN", "Address already in use");
    return formatAddress(address);
  }
  // the network's own address; of IPv4 also the one for broadcasts
  const reserved = [cidr.first, ...(cidr.family === 4 ? [lastOf(cidr)] : [])];
  for (let value = range.first; value <= lastOf(range); value += 1n) {
    const text = formatAddress({ family: cidr.family, value });
    if (!reserved.includes(value) && !used.has(text)) return text;
  }
  throw new VarveError("NETWORK_EXHAUSTED", `no available ${kind} addresses on this network's address pools: ${subnet.subnet}`);
}

function canonical(text: string): string {
  const address = parseAddress(text);
  return address === undefined ? text : formatAddress(address);
}

/** A hardware address that stays with the IPv4 address, so that no neighbour remembers another. */
export function macOf(ipv4: string): string {
  return ["02", "42", ...ipv4.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))].join(":");
}
