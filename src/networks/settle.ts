import { readFileSync, writeFileSync } from "node:fs";
import { bootId } from "../state/index.ts";
import { settleForeignFilters } from "./foreign-filters.ts";
import { settleBridges } from "./links.ts";
import { bridgeOptions, readBool } from "./make-network.ts";
import { settleNames, type NamedNetwork } from "./names.ts";
import type { EndpointRow, MemberRow, NetworkRow, NetworkRows } from "./network-rows.ts";
import { runIn, type Place } from "./programs.ts";
import { tableName, writeRules, type RuledPort } from "./rules.ts";

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
}

/**
 * Makes bridges, rules and names what the rows say, whatever stands there. Whoever changed rows calls it with the lock held; what a
 * crash left undone, the next call does.
 */
export async function settle({ rows, place, mark, folder, isRoot, servers }: SettleOptions): Promise<void> {
  const [members, endpoints] = [rows.members(), rows.endpoints()];
  const networks = rows.networks().filter(({ id }) => endpoints.some(({ network }) => network === id));
  const bridges = networks.map(({ bridge: name, subnets: [subnet], options }) => ({
    name,
    address: `${subnet?.gateway ?? ""}/${subnet?.subnet.split("/")[1] ?? ""}`,
    mtu: mtuOf(options),
  }));
  const { others } = await settleBridges(place, mark, bridges);
  const ports = isRoot ? rulePorts(members, endpoints, networks) : [];
  if (isRoot) settleForwarding(rows, networks.length > 0, others);
  if (isRoot) for (const { bridge } of networks) allowLoopback(bridge);
  const ruled = networks.map(({ bridge: name, subnets, internal, options }) => ({
    name,
    subnet: subnets[0]?.subnet ?? "",
    internal,
    masquerade: readBool(options[bridgeOptions.masquerade], true),
  }));
  await runIn(place, "nft", ["-f", "-"], { input: writeRules(tableName(mark), ruled, ports) });
  if (isRoot) {
    await settleForeignFilters(
      place,
      mark,
      networks.map(({ bridge }) => bridge),
    );
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
    return target === undefined ? [] : ports.map((port) => ({ ...port, targetIp: target.ipv4 }));
  });
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
  return named.map(({ id, bridge, subnets }) => {
    const here = endpoints.filter(({ network }) => network === id);
    return {
      file: bridge,
      gateway: subnets[0]?.gateway ?? "",
      containers: here.flatMap(({ container, ipv4, aliases }) => {
        const member = members.find((one) => one.container === container);
        if (member === undefined) return [];
        const names = [member.name, ...aliases, container.slice(0, 12), member.hostname].map((name) => name.toLowerCase());
        const asked = member.dns.length > 0 ? member.dns : servers;
        // Who asks is known by the address: with its other addresses here a container finds the names of all its networks.
        const elsewhere = endpoints.filter(
          (one) => one.container === container && one.network !== id && named.some((network) => network.id === one.network),
        );
        return [
          { id: container, ipv4, names: [...new Set(names)].filter((name) => name !== ""), servers: asked },
          ...elsewhere.map((one) => ({ id: container, ipv4: one.ipv4, names: [container], servers: asked })),
        ];
      }),
    };
  });
}

const forwardingFile = "/proc/sys/net/ipv4/ip_forward";

/** Forwarding is on while there are bridges. Where it was off, it is so again with the last one, if nobody else has come to need it. */
function settleForwarding(rows: NetworkRows, isNeeded: boolean, others: number): void {
  const isOn = readFileSync(forwardingFile, "latin1").trim() !== "0";
  if (isNeeded && !isOn) {
    rows.setNote("forwarding", bootId());
    writeFileSync(forwardingFile, "1");
  } else if (!isNeeded) {
    if (isOn && others === 0 && rows.note("forwarding") === bootId()) writeFileSync(forwardingFile, "0");
    rows.setNote("forwarding", undefined);
  }
}

/** What this machine sends to a port published at 127.0.0.1 keeps that address until it leaves. It goes with the link. */
function allowLoopback(bridge: string): void {
  writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, "1");
}
