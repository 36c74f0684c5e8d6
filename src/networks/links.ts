import { randomBytes } from "node:crypto";
import { isOwnLinkName } from "./network-rows.ts";
import { runIn, type Place } from "./programs.ts";

/** A bridge that is to be up. */
export interface WantedBridge {
  readonly name: string;
  /** `172.18.0.1/16`, and of a network with IPv6 another one. */
  readonly addresses: readonly string[];
  readonly mtu: number | undefined;
}

interface Link {
  readonly ifname: string;
  readonly ifalias?: string;
}

/**
 * Makes the bridges that are missing, and removes those that carry this store's mark and are not wanted. Fails with NETWORK_FAILED,
 * also where a link of a wanted name is somebody else's. `others`: how many bridges of others there are.
 */
export async function settleBridges(
  place: Place,
  mark: string,
  wanted: readonly WantedBridge[],
): Promise<{ readonly others: number }> {
  const links = JSON.parse((await runIn(place, "ip", ["-j", "link", "show", "type", "bridge"])) || "[]") as readonly Link[];
  const mine = new Set(links.filter(({ ifalias }) => ifalias === mark).map(({ ifname }) => ifname));
  // Marking is a step of its own, taken under the lock: one that is not marked was left by a crash between the two.
  const unmarked = links.filter(({ ifname, ifalias }) => ifalias === undefined && isOwnLinkName(ifname));
  const names = new Set(wanted.map(({ name }) => name));
  const commands = [
    ...[...[...mine].filter((name) => !names.has(name)), ...unmarked.map(({ ifname }) => ifname)].map(
      (name) => `link delete dev ${name}`,
    ),
    ...wanted
      .filter(({ name }) => !mine.has(name))
      .flatMap(({ name, addresses, mtu }) => [
        // Fails where there is a link of this name. Without an address of its own a bridge takes the lowest of its ports', which
        // changes as they come and go; containers would not find their gateway for a while.
        `link add name ${name} address ${newMac()}${mtu === undefined ? "" : ` mtu ${mtu}`} type bridge`,
        `link set dev ${name} alias ${mark}`,
        ...addresses.map((address) => addAddress(address, name)),
        `link set dev ${name} up`,
      ]),
  ];
  if (commands.length > 0) await runIn(place, "ip", ["-batch", "-"], { input: `${commands.join("\n")}\n` });
  return { others: links.length - mine.size - unmarked.length };
}

/** A random address of those that nobody gave to a manufacturer. */
function newMac(): string {
  return ["02", ...(randomBytes(5).toString("hex").match(/../g) ?? [])].join(":");
}

/** One interface of a container. */
export interface WantedLink {
  readonly link: string;
  readonly bridge: string;
  /** In the container: `eth0`. */
  readonly interface: string;
  /** `172.18.0.2/16`, and of a network with IPv6 another one. */
  readonly addresses: readonly string[];
  readonly mac: string;
  readonly mtu: number | undefined;
  /** The containers of the bridge do not reach each other. */
  readonly isolated: boolean;
  /** The ways out of the container lead here: none, or one of each family. */
  readonly gateways: readonly string[];
}

/** Nobody else has an IPv6 address that is given out here: it is of use at once, without the search for others who have it. */
function addAddress(address: string, name: string): string {
  return `address add ${address} ${address.includes(":") ? "nodad" : "broadcast +"} dev ${name}`;
}

/** Puts interfaces into a network namespace, with addresses and routes. */
export async function plugIn(place: Place, netnsPath: string, links: readonly WantedLink[], signal?: AbortSignal): Promise<void> {
  const size = (mtu: number | undefined): string => (mtu === undefined ? "" : ` mtu ${mtu}`);
  const outside = links.flatMap(({ link, bridge, interface: name, mac, mtu, isolated }) => [
    `link add name ${link}${size(mtu)} type veth peer name ${name} address ${mac}${size(mtu)} netns ${netnsPath}`,
    `link set dev ${link} master ${bridge}`,
    // a container that calls itself through its published port gets its own packets back
    `link set dev ${link} type bridge_slave hairpin on${isolated ? " isolated on" : ""}`,
    `link set dev ${link} up`,
  ]);
  const inside = links.flatMap(({ interface: name, addresses, gateways }) => [
    ...addresses.map((address) => addAddress(address, name)),
    `link set dev ${name} up`,
    ...gateways.map((gateway) => `route replace default via ${gateway} dev ${name}`),
  ]);
  await runIn(place, "ip", ["-batch", "-"], { input: `${outside.join("\n")}\n`, signal });
  await runIn(place, "ip", ["-batch", "-"], { input: `link set dev lo up\n${inside.join("\n")}\n`, netnsPath, signal });
}

/** Takes an interface away; one that is not there is no error. */
export async function unplug(place: Place, link: string): Promise<void> {
  const links = JSON.parse((await runIn(place, "ip", ["-j", "link", "show", "type", "veth"])) || "[]") as readonly Link[];
  if (links.some(({ ifname }) => ifname === link)) await runIn(place, "ip", ["link", "delete", "dev", link]);
}
