import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootId } from "../state/index.ts";
import { settleForeignFilters } from "./foreign-filters.ts";
import { settleBridges } from "./links.ts";
import { bridgeOptions, readBool, subnetOf } from "./make-network.ts";
import { settleNames, type NamedNetwork } from "./names.ts";
import type { EndpointRow, MemberRow, NetworkRow, NetworkRows, StateKey } from "./network-rows.ts";
import { runIn, type Place } from "./programs.ts";
import { tableName, writeRules, type RuledPort } from "./rules.ts";
import type { Subnet } from "./types.ts";

export interface SettleOptions {
  readonly rows: NetworkRows;
  readonly place: Place;
  /** What links and rules of this store are known by: a word. */
  readonly mark: string;
  readonly folder: string;
  /** The place is this machine's own network, where others have rules too. */
  readonly isRoot: boolean;
  /** Where names of elsewhere are asked, empty: where this machine asks. */
  readonly servers: readonly string[];
  readonly onWarning: (message: string) => void;
}

/**
 * Makes bridges, rules and names what the rows say, whatever stands there. Whoever changed rows calls it with the lock held; what a
 * crash left undone, the next call does.
 */
export async function settle({ rows, place, mark, folder, isRoot, servers, onWarning }: SettleOptions): Promise<void> {
  const [members, endpoints] = [rows.members(), rows.endpoints()];
  const networks = rows.networks().filter(({ id }) => endpoints.some(({ network }) => network === id));
  const bridges = networks.map((network) => ({
    name: network.bridge,
    addresses: usedSubnets(network).map(({ subnet, gateway }) => `${gateway}/${subnet.split("/")[1] ?? ""}`),
    mtu: mtuOf(network.options),
  }));
  const { others } = await settleBridges(place, mark, bridges);
  const ports = isRoot ? rulePorts(members, endpoints, networks) : [];
  if (isRoot) {
    settleForwarding(rows, forwarding, networks.length > 0, others);
    const needsIpv6 = networks.some(({ ipv6 }) => ipv6);
    if (needsIpv6 || rows.note(forwardingIpv6.key) !== undefined) settleForwarding(rows, forwardingIpv6, needsIpv6, others);
    for (const network of networks) tuneBridge(network);
  }
  const ruled = networks.map((network) => ({
    name: network.bridge,
    subnets: usedSubnets(network).map(({ subnet }) => subnet),
    internal: network.internal,
    masquerade: readBool(network.options[bridgeOptions.masquerade], true),
  }));
  await runIn(place, "nft", ["-f", "-"], { input: writeRules(tableName(mark), ruled, ports) });
  if (isRoot) {
    const bridged = networks.map(({ bridge: name, ipv6 }) => ({ name, ipv6 }));
    const { dropping } = await settleForeignFilters(place, mark, bridged);
    if (dropping.length > 0 && rows.note("dropping") !== bootId()) {
      rows.setNote("dropping", bootId());
      onWarning(
        `another firewall of this machine drops what is forwarded (${dropping.join(", ")}); ` +
          "let it pass what comes from and goes to the links vbr*, else containers have no way out and no published ports",
      );
    }
  }
  await settleNames(place, folder, nameNetworks(networks, members, endpoints, servers));
}

/** Ports lead to the first network of a container that has a way out. */
function rulePorts(
  members: readonly MemberRow[],
  endpoints: readonly EndpointRow[],
  networks: readonly NetworkRow[],
): readonly RuledPort[] {
  return members.flatMap(({ container, ports }) => {
    const target = publishingEndpoint(
      endpoints.filter((endpoint) => endpoint.container === container),
      networks,
    );
    return ports.flatMap((port) => {
      const targetIp = port.hostIp.includes(":") ? target?.ipv6 : target?.ipv4;
      return targetIp === undefined ? [] : [{ ...port, targetIp }];
    });
  });
}

/** Those that containers get addresses of. */
function usedSubnets(network: NetworkRow): readonly Subnet[] {
  return ([4, 6] as const).flatMap((family) => subnetOf(network, family) ?? []);
}

export function publishingEndpoint(endpoints: readonly EndpointRow[], networks: readonly NetworkRow[]): EndpointRow | undefined {
  return endpoints.find(({ network }) => networks.some(({ id, internal }) => id === network && !internal));
}

export function mtuOf(options: Readonly<Record<string, string>>): number | undefined {
  const text = options[bridgeOptions.mtu];
  return text === undefined ? undefined : Number(text);
}

/** Names resolve on networks that were made, and not on `bridge`, as in Docker. */
function nameNetworks(
  networks: readonly NetworkRow[],
  members: readonly MemberRow[],
  endpoints: readonly EndpointRow[],
  servers: readonly string[],
): readonly NamedNetwork[] {
  const named = networks.filter(({ predefined }) => !predefined);
  return named.map((network) => {
    const { id, bridge } = network;
    const here = endpoints.filter(({ network }) => network === id);
    return {
      file: bridge,
      gateway: subnetOf(network, 4)?.gateway ?? "",
      containers: here.flatMap(({ container, ipv4, ipv6, aliases }) => {
        const member = members.find((one) => one.container === container);
        if (member === undefined) return [];
        const names = [member.name, ...aliases, container.slice(0, 12), member.hostname].map((name) => name.toLowerCase());
        const asked = member.dns.length > 0 ? member.dns : servers;
        // Who asks is known by the address: with its other addresses here a container finds the names of all its networks.
        const elsewhere = endpoints.filter(
          (one) => one.container === container && one.network !== id && named.some((other) => other.id === one.network),
        );
        return [
          { id: container, ipv4, ipv6, names: [...new Set(names)].filter((name) => name !== ""), servers: asked },
          ...elsewhere.map((one) => ({ id: container, ipv4: one.ipv4, ipv6: undefined, names: [container], servers: asked })),
        ];
      }),
    };
  });
}

interface Switch {
  readonly file: string;
  /** Where it is noted that it was switched on here. */
  readonly key: StateKey;
}

const forwarding: Switch = { file: "/proc/sys/net/ipv4/ip_forward", key: "forwarding" };
const forwardingIpv6: Switch = { file: "/proc/sys/net/ipv6/conf/all/forwarding", key: "forwarding-ipv6" };

/** Forwarding is on while there are bridges. Where it was off, it is so again with the last one, if nobody else has come to need it. */
function settleForwarding(rows: NetworkRows, { file, key }: Switch, isNeeded: boolean, others: number): void {
  const isOn = readFileSync(file, "latin1").trim() !== "0";
  if (isNeeded && !isOn) {
    rows.setNote(key, bootId());
    writeFileSync(file, "1");
  } else if (!isNeeded) {
    if (isOn && others === 0 && rows.note(key) === bootId()) writeFileSync(file, "0");
    rows.setNote(key, undefined);
  }
}

/**
 * What this machine sends to a port published at 127.0.0.1 keeps that address until it leaves. And no container tells this machine of
 * ways through itself, as a router would (router advertisements, RFC 4861). It goes with the link.
 */
function tuneBridge({ bridge, ipv6 }: NetworkRow): void {
  writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, "1");
  const folder = `/proc/sys/net/ipv6/conf/${bridge}`;
  if (existsSync(folder)) writeFileSync(join(folder, ipv6 ? "accept_ra" : "disable_ipv6"), ipv6 ? "0" : "1");
}
