import { VarveError } from "../errors/index.ts";
import { contains, formatCidr, formatIpv4, parseCidr, parseIpv4, type Cidr } from "./ipv4.ts";
import type { Subnet } from "./types.ts";

/** A network needs room for itself, a gateway, a container and broadcasts. */
const longestPrefix = 30;

/** Reads what was asked for of addresses; undefined where nothing was. Fails with NETWORK_INVALID and NETWORK_UNSUPPORTED. */
export function checkSubnet(wishes: readonly Partial<Subnet>[]): Subnet | undefined {
  const [wish, ...others] = wishes;
  if (wish === undefined) return undefined;
  if (others.length > 0) throw new VarveError("NETWORK_UNSUPPORTED", "a network has one subnet");
  if (wish.subnet === undefined) {
    if (Object.keys(wish).length === 0) return undefined;
    throw new VarveError("NETWORK_INVALID", "every ip-range or gateway must have a corresponding subnet");
  }
  if (wish.subnet.includes(":")) throw noIpv6();
  const cidr = readCidr("subnet", wish.subnet);
  if (cidr.length > longestPrefix)
    throw new VarveError("NETWORK_INVALID", `the subnet ${wish.subnet} has no room for a gateway and a container`);
  const range = wish.ipRange === undefined ? undefined : parseCidr(wish.ipRange);
  if (wish.ipRange !== undefined && (range === undefined || !contains(cidr, range.first) || range.length < cidr.length))
    throw new VarveError("NETWORK_INVALID", `no matching subnet for range ${wish.ipRange}`);
  const gateway = wish.gateway === undefined ? cidr.first + 1 : inside(cidr, "gateway", wish.gateway);
  for (const address of Object.values(wish.auxiliary ?? {})) inside(cidr, "aux-address", address);
  return {
    subnet: formatCidr(cidr),
    gateway: formatIpv4(gateway),
    ...(range === undefined ? {} : { ipRange: formatCidr(range) }),
    ...(wish.auxiliary === undefined ? {} : { auxiliary: wish.auxiliary }),
  };
}

export function noIpv6(): VarveError {
  return new VarveError("NETWORK_UNSUPPORTED", "networks have IPv4 addresses only");
}

function readCidr(what: string, text: string): Cidr {
  const cidr = parseCidr(text);
  const problem = cidr === undefined ? "invalid CIDR block notation" : `it should be ${formatCidr(cidr)}`;
  if (cidr === undefined || cidr.address !== cidr.first)
    throw new VarveError("NETWORK_INVALID", `invalid network config:\ninvalid ${what} ${text}: ${problem}`);
  return cidr;
}

function inside(cidr: Cidr, what: string, text: string): number {
  const address = parseIpv4(text);
  if (address === undefined || !contains(cidr, address))
    throw new VarveError("NETWORK_INVALID", `no matching subnet for ${what} ${text}`);
  return address;
}
