import type { Varve } from "../../engine/index.ts";
import type { NetworkRecord } from "../../networks/index.ts";

/** A network as `docker network inspect` shows it. */
export function describeNetwork({ networks }: Pick<Varve, "networks">, name: string): Readonly<Record<string, unknown>> {
  const network = networks.get(name);
  const members = networks.members(network.id);
  return {
    Name: network.name,
    Id: network.id,
    Created: new Date(network.createdMs).toISOString(),
    Scope: "local",
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: network.ipv6,
    IPAM: {
      Driver: "default",
      Options: network.predefined ? null : {},
      Config: network.driver === "bridge" ? network.subnets.map(describeSubnet) : null,
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: Object.fromEntries(
      members.map(({ containerId, containerName, macAddress, ipv4, prefixLength, ipv6, ipv6PrefixLength = 0 }) => [
        containerId,
        {
          Name: containerName,
          EndpointID: `${network.id.slice(0, 32)}${containerId.slice(0, 32)}`,
          MacAddress: macAddress,
          IPv4Address: `${ipv4}/${prefixLength}`,
          IPv6Address: ipv6 === undefined ? "" : `${ipv6}/${ipv6PrefixLength}`,
        },
      ]),
    ),
    Options: sorted(network.options),
    Labels: sorted(network.labels),
  };
}

function describeSubnet({
  subnet,
  gateway,
  ipRange,
  auxiliary,
}: NetworkRecord["subnets"][number]): Readonly<Record<string, unknown>> {
  return {
    Subnet: subnet,
    ...(ipRange === undefined ? {} : { IPRange: ipRange }),
    Gateway: gateway,
    ...(auxiliary === undefined ? {} : { AuxiliaryAddresses: auxiliary }),
  };
}

/** The same with Go's maps where Docker's structs have them. */
export function networkForTemplates(network: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const map = (key: string): Map<string, unknown> => new Map(Object.entries(network[key] as object));
  return { ...network, Containers: map("Containers"), Options: map("Options"), Labels: map("Labels") };
}

/** A volume as `docker volume inspect` shows it. */
export function describeVolume({ volumes }: Pick<Varve, "volumes">, name: string): Readonly<Record<string, unknown>> {
  const { createdMs, driver, labels, mountpoint, options } = volumes.get(name);
  const orNull = (values: Readonly<Record<string, string>>) => (Object.keys(values).length === 0 ? null : sorted(values));
  return {
    CreatedAt: new Date(createdMs).toISOString().replace(/\.\d+Z$/, "Z"),
    Driver: driver,
    Labels: orNull(labels),
    Mountpoint: mountpoint,
    Name: name,
    Options: orNull(options),
    Scope: "local",
  };
}

/** The same with Go's maps where Docker's structs have them. */
export function volumeForTemplates(volume: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const map = (key: string): Map<string, unknown> => new Map(Object.entries(volume[key] ?? {}));
  return { ...volume, Labels: map("Labels"), Options: map("Options") };
}

/** In the order in which Go writes its maps. */
function sorted(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
