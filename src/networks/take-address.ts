import { VarveError } from "../errors/index.ts";
import { contains, formatIpv4, lastOf, parseCidr, parseIpv4 } from "./ipv4.ts";
import type { Subnet } from "./types.ts";

/** The address that is wished for, or the first free one. Fails with NETWORK_ADDRESS_TAKEN, NETWORK_EXHAUSTED and NETWORK_INVALID. */
export function takeAddress(subnet: Subnet, taken: readonly string[], wish: string | undefined): string {
  const cidr = parseCidr(subnet.subnet);
  const range = subnet.ipRange === undefined ? cidr : parseCidr(subnet.ipRange);
  if (cidr === undefined || range === undefined) throw new TypeError(`${subnet.subnet} is no subnet`);
  const used = new Set([subnet.gateway, ...Object.values(subnet.auxiliary ?? {}), ...taken]);
  if (wish !== undefined) {
    const address = parseIpv4(wish);
    if (address === undefined) throw new VarveError("NETWORK_INVALID", `invalid IPv4 address: ${wish}`);
    if (!contains(cidr, address))
      throw new VarveError("NETWORK_INVALID", "no configured subnet or ip-range contain the IP address");
    if (used.has(formatIpv4(address))) throw new VarveError("NETWORK_ADDRESS_TAKEN", "Address already in use");
    return formatIpv4(address);
  }
  for (let address = range.first; address <= lastOf(range); address += 1) {
    if (address === cidr.first || address === lastOf(cidr)) continue;
    const text = formatIpv4(address);
    if (!used.has(text)) return text;
  }
  throw new VarveError("NETWORK_EXHAUSTED", `no available IPv4 addresses on this network's address pools: ${subnet.subnet}`);
}

/** A hardware address that stays with the IPv4 address, so that no neighbour remembers another. */
export function macOf(ipv4: string): string {
  return ["02", "42", ...ipv4.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))].join(":");
}
