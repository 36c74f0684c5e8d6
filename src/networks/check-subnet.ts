import { VarveError } from "../errors/index.ts";
import { contains, formatAddress, formatCidr, parseAddress, parseCidr, type Cidr } from "./addresses.ts";
import type { Subnet } from "./types.ts";

/** A network needs room for itself, a gateway, a container and broadcasts. */
const longestPrefix = { 4: 30, 6: 126 } as const;

/** Reads what was asked for of one subnet; undefined where nothing was. Fails with NETWORK_INVALID. */
export function checkSubnet(wish: Partial<Subnet>): Subnet | undefined {
  if (wish.subnet === undefined) {
    if (Object.keys(wish).length === 0) return undefined;
    throw new VarveError("NETWORK_INVALID", "every ip-range or gateway must have a corresponding subnet");
  }
  const cidr = readCidr("subnet", wish.subnet);
  if (cidr.length > longestPrefix[cidr.family])
    throw new VarveError("NETWORK_INVALID", `the subnet ${wish.subnet} has no room for a gateway and a container`);
  const range = wish.ipRange === undefined ? undefined : parseCidr(wish.ipRange);
  if (wish.ipRange !== undefined && (range === undefined || !isWithin(cidr, range)))
    throw new VarveError("NETWORK_INVALID", `no matching subnet for range ${wish.ipRange}`);
  const gateway =
    wish.gateway === undefined
      ? formatAddress({ family: cidr.family, value: cidr.first + 1n })
      : inside(cidr, "gateway", wish.gateway);
  for (const address of Object.values(wish.auxiliary ?? {})) inside(cidr, "aux-address", address);
  return {
    subnet: formatCidr(cidr),
    gateway,
    ...(range === undefined ? {} : { ipRange: formatCidr(range) }),
    ...(wish.auxiliary === undefined ? {} : { auxiliary: wish.auxiliary }),
  };
}

/** What `network create` was given of addresses, each flag as often as it came. */
export interface SubnetFlags {
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
  readonly ipRanges: readonly string[];
  readonly auxiliary: Readonly<Record<string, string>>;
}

/** Which gateway, range and reserved address belongs to which subnet: the one that it is in. Fails with NETWORK_INVALID. */
export function matchSubnets({ subnets, gateways, ipRanges, auxiliary }: SubnetFlags): readonly Partial<Subnet>[] {
  if (subnets.length < gateways.length || subnets.length < ipRanges.length)
    throw new VarveError("NETWORK_INVALID", "every ip-range or gateway must have a corresponding subnet");
  const networks = subnets.map((text) => parseCidr(text) ?? readCidr("subnet", text));
  if (networks.some((one, index) => networks.slice(index + 1).some((other) => isWithin(one, other) || isWithin(other, one))))
    throw new VarveError("NETWORK_INVALID", "multiple overlapping subnet configuration is not supported");
  const wishes: { -readonly [K in keyof Subnet]?: Subnet[K] }[] = subnets.map((subnet) => ({ subnet }));
  const wishFor = (text: string, what: string): (typeof wishes)[number] => {
    const [host = ""] = text.split("/");
    const address = parseAddress(host);
    const found = wishes[networks.findIndex((network) => address !== undefined && contains(network, address))];
    if (found === undefined) throw new VarveError("NETWORK_INVALID", `no matching subnet for ${what} ${text}`);
    return found;
  };
  for (const text of ipRanges) {
    const wish = wishFor(text, "range");
    if (wish.ipRange !== undefined) throw twice("ranges", wish.ipRange, text, `on the same subnet (${wish.subnet ?? ""})`);
    wish.ipRange = text;
  }
  for (const text of gateways) {
    const wish = wishFor(text, "gateway");
    if (wish.gateway !== undefined) throw twice("gateways", text, wish.gateway, `for the same subnet (${wish.subnet ?? ""})`);
    wish.gateway = text;
  }
  for (const [name, text] of Object.entries(auxiliary)) {
    const wish = wishFor(text, "aux-address");
    wish.auxiliary = { ...wish.auxiliary, [name]: text };
  }
  return wishes;
}

function twice(what: string, one: string, other: string, where: string): VarveError {
  return new VarveError("NETWORK_INVALID", `cannot configure multiple ${what} (${one}, ${other}) ${where}`);
}

function isWithin(outer: Cidr, inner: Cidr): boolean {
  return inner.length >= outer.length && contains(outer, { family: inner.family, value: inner.first });
}

function readCidr(what: string, text: string): Cidr {
  const cidr = parseCidr(text);
  // Docker takes any address of an IPv6 network for the network
  const isNetwork = cidr !== undefined && (cidr.family === 6 || cidr.address === cidr.first);
  if (cidr !== undefined && isNetwork) return cidr;
  const problem = cidr === undefined ? "invalid CIDR block notation" : `it should be ${formatCidr(cidr)}`;
  throw new VarveError("NETWORK_INVALID", `invalid network config:\ninvalid ${what} ${text}: ${problem}`);
}

function inside(cidr: Cidr, what: string, text: string): string {
  const address = parseAddress(text);
  if (address === undefined || !contains(cidr, address))
    throw new VarveError("NETWORK_INVALID", `no matching subnet for ${what} ${text}`);
  return formatAddress(address);
}
