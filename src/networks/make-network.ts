import { randomBytes } from "node:crypto";
import { VarveError } from "../errors/index.ts";
import { formatAddress, formatCidr, overlaps, parseAddress, parseCidr, type Cidr, type Family } from "./addresses.ts";
import { checkSubnet } from "./check-subnet.ts";
import { chooseSubnet, inventIpv6Subnet, routedSubnets } from "./choose-subnet.ts";
import { needIpv6 } from "./ipv6-here.ts";
import { pidFile } from "./names.ts";
import { newLinkName, type NetworkRow } from "./network-rows.ts";
import type { CreateNetwork, NetworkRecord, Subnet } from "./types.ts";

const optionPrefix = "com.docker.network.";

/** Driver options that take effect. (Docker docs, "Bridge network driver", "Options") */
export const bridgeOptions = {
  name: `${optionPrefix}bridge.name`,
  masquerade: `${optionPrefix}bridge.enable_ip_masquerade`,
  reachEachOther: `${optionPrefix}bridge.enable_icc`,
  hostIp: `${optionPrefix}bridge.host_binding_ipv4`,
  mtu: `${optionPrefix}driver.mtu`,
} as const;

const predefinedNames: readonly string[] = ["bridge", "host", "none"];

/** The networks that are always there. */
export function makePredefined(nowMs: number): readonly NetworkRow[] {
  const bridge = newLinkName("br");
  const { reachEachOther, masquerade, hostIp, name, mtu } = bridgeOptions;
  const options = {
    [`${optionPrefix}bridge.default_bridge`]: "true",
    [reachEachOther]: "true",
    [masquerade]: "true",
    [hostIp]: "0.0.0.0",
    [name]: bridge,
    [mtu]: "1500",
  };
  const common = {
    createdMs: nowMs,
    labels: {},
    internal: false,
    attachable: false,
    predefined: true,
    ipv6: false,
    chosenIpv6: false,
  };
  return [
    { ...common, id: newId(), name: "bridge", driver: "bridge", options, subnets: [pickSubnet([])], chosen: true, bridge },
    { ...common, id: newId(), name: "host", driver: "host", options: {}, subnets: [], chosen: false, bridge: "" },
    { ...common, id: newId(), name: "none", driver: "null", options: {}, subnets: [], chosen: false, bridge: "" },
  ];
}

/** A network as it was asked for, beside those that are there. */
export function makeNetwork(request: CreateNetwork, others: readonly NetworkRow[], nowMs: number): NetworkRow {
  const { name, driver = "bridge", labels = {}, options = {}, internal = false, attachable = false } = request;
  const ipv6 = request.enableIpv6 === true;
  checkName(name);
  if (driver === "host" || driver === "null")
    throw new VarveError("NETWORK_INVALID", `only one instance of "${driver}" network is allowed`);
  if (driver !== "bridge")
    throw new VarveError("NETWORK_UNSUPPORTED", `plugin "${driver}" not found`, { hint: "networks are bridges here" });
  if (ipv6) needIpv6(`cannot create network ${name} with IPv6`);
  if (others.some((other) => other.name === name))
    throw new VarveError("NETWORK_EXISTS", `network with name ${name} already exists`);
  checkOptions(options);
  const bridge = options[bridgeOptions.name] ?? newLinkName("br");
  if (others.some((other) => other.bridge === bridge))
    throw new VarveError("NETWORK_INVALID", `cannot create network ${name}: its bridge ${bridge} is another network's`);
  const asked = (request.subnets ?? []).flatMap((wish) => checkSubnet(wish) ?? []);
  if (([4, 6] as const).some((family) => asked.filter(({ subnet }) => familyOf(subnet) === family).length > 1))
    throw new VarveError("NETWORK_UNSUPPORTED", "bridge driver doesn't support multiple subnets");
  if (asked.some(({ subnet }) => subnetsOf(others).some((other) => overlapsText(other, subnet))))
    throw new VarveError("NETWORK_INVALID", "invalid pool request: Pool overlaps with other one on this address space");
  const chosen = subnetOf({ subnets: asked }, 4) === undefined;
  const chosenIpv6 = ipv6 && subnetOf({ subnets: asked }, 6) === undefined;
  return {
    id: newId(),
    name,
    driver,
    createdMs: nowMs,
    labels,
    options,
    internal,
    attachable,
    predefined: false,
    ipv6,
    subnets: [
      ...asked,
      ...(chosen ? [pickSubnet(subnetsOf(others))] : []),
      ...(chosenIpv6 ? [withGateway(inventIpv6Subnet())] : []),
    ],
    chosen,
    chosenIpv6,
    bridge,
  };
}

/** A subnet of Docker's pools that is neither another network's nor one of this machine's routes. */
export function pickSubnet(others: readonly Cidr[]): Subnet {
  const free = chooseSubnet([...others, ...routedSubnets()]);
  if (free === undefined)
    throw new VarveError("NETWORK_EXHAUSTED", "all predefined address pools have been fully subnetted", {
      hint: "name a subnet: --subnet",
    });
  return withGateway(free);
}

function withGateway(cidr: Cidr): Subnet {
  return { subnet: formatCidr(cidr), gateway: formatAddress({ family: cidr.family, value: cidr.first + 1n }) };
}

function familyOf(text: string): Family {
  return text.includes(":") ? 6 : 4;
}

/** The subnet of a family that containers get addresses of: of IPv6 only where the network has it switched on. */
export function subnetOf(
  network: Pick<NetworkRecord, "subnets"> & { readonly ipv6?: boolean },
  family: Family,
): Subnet | undefined {
  if (family === 6 && network.ipv6 === false) return undefined;
  return network.subnets.find(({ subnet }) => familyOf(subnet) === family);
}

/** A network with another IPv4 subnet, in the place of its own. */
export function replaceIpv4({ subnets }: Pick<NetworkRecord, "subnets">, subnet: Subnet): readonly Subnet[] {
  return subnets.map((one) => (familyOf(one.subnet) === 4 ? subnet : one));
}

export function subnetsOf(networks: readonly NetworkRecord[]): readonly Cidr[] {
  return networks.flatMap(({ subnets }) => subnets.flatMap(({ subnet }) => parseCidr(subnet) ?? []));
}

/** Whether one of this machine's routes leads into a network's subnet. */
export function isRouted({ subnets }: NetworkRecord): boolean {
  const routes = routedSubnets();
  return subnets.some(({ subnet }) => routes.some((route) => overlapsText(route, subnet)));
}

function overlapsText(left: Cidr, text: string): boolean {
  const right = parseCidr(text);
  return right !== undefined && overlaps(left, right);
}

function newId(): string {
  return randomBytes(32).toString("hex");
}

function checkName(name: string): void {
  if (name.trim() === "") throw new VarveError("NETWORK_INVALID", "invalid name: name is empty");
  if (predefinedNames.includes(name) || name === "default" || name.startsWith("container:"))
    throw new VarveError("NETWORK_INVALID", `operation is not permitted on predefined ${name} network`);
}

function checkOptions(options: Readonly<Record<string, string>>): void {
  const isBool = (text: string): boolean => /^(?:1|0|t|f|true|false)$/i.test(text);
  const checks: Readonly<Record<string, (value: string) => boolean>> = {
    [bridgeOptions.name]: (value) => /^[A-Za-z0-9_.-]{1,15}$/.test(value) && value !== pidFile,
    [bridgeOptions.masquerade]: isBool,
    [bridgeOptions.reachEachOther]: isBool,
    [bridgeOptions.hostIp]: (value) => parseAddress(value)?.family === 4,
    [bridgeOptions.mtu]: (value) => /^\d{2,5}$/.test(value),
  };
  for (const [key, value] of Object.entries(options)) {
    const check = checks[key];
    if (check === undefined) throw new VarveError("NETWORK_UNSUPPORTED", `the network option ${key} is not supported`);
    if (!check(value)) throw new VarveError("NETWORK_INVALID", `invalid value for ${key}: ${JSON.stringify(value)}`);
  }
}

export function readBool(text: string | undefined, otherwise: boolean): boolean {
  return text === undefined ? otherwise : /^(?:1|t|true)$/i.test(text);
}
