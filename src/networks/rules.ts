import { formatSocket } from "./addresses.ts";
import type { PublishedPort } from "./types.ts";

/** A bridge that is up, as the rules see it. */
export interface RuledBridge {
  readonly name: string;
  /** One of each family at most. */
  readonly subnets: readonly string[];
  readonly internal: boolean;
  readonly masquerade: boolean;
}

export interface RuledPort extends PublishedPort {
  /** Of the family of the host's address. */
  readonly targetIp: string;
}

/** The store's table, whose mark is a word with a hyphen. */
export function tableName(mark: string): string {
  return mark.replaceAll("-", "_");
}

/**
 * The whole of a store's nftables table (nft(8)), as one atomic replacement of the one that is there. Nothing to say: the table goes.
 *
 * - What leaves a bridge for elsewhere gets this machine's address; so does what this machine sends to itself, and what comes back
 *   to the bridge that it came from: else the answers would not find their way through the translation.
 * - A network is reached from outside through its published ports only, also by other networks.
 * - A bridge with published ports takes packets from 127.0.0.1 (route_localnet), and so must refuse those that containers send there.
 *   What comes from elsewhere finds no port that is published there, whatever other interfaces take.
 * - The kernel routes nothing from ::1 to elsewhere, nor from addresses of one link: what comes from these is left to the process that
 *   holds the port.
 */
export function writeRules(table: string, bridges: readonly RuledBridge[], ports: readonly RuledPort[]): string {
  const replace = [`table inet ${table} {}`, `delete table inet ${table}`];
  if (bridges.length === 0) return `${replace.join("\n")}\n`;
  const each = (write: (bridge: RuledBridge) => readonly string[]): readonly string[] => bridges.flatMap(write);
  const chains: Readonly<Record<string, readonly string[]>> = {
    published: ports.filter(({ hostIp }) => hostIp !== "::1").map(writePort),
    spoofed: [
      "type filter hook prerouting priority raw;",
      ...each(({ name }) => [`iifname "${name}" ip daddr 127.0.0.0/8 drop`]),
    ],
    incoming: [
      "type nat hook prerouting priority dstnat;",
      "ip daddr != 127.0.0.0/8 fib daddr type local jump published",
      "meta nfproto ipv6 fib daddr type local jump published",
    ],
    local: ["type nat hook output priority -100;", "fib daddr type local jump published"],
    outgoing: [
      "type nat hook postrouting priority srcnat;",
      ...each(({ name, subnets, internal, masquerade }) => [
        ...(internal || !masquerade ? [] : subnets.map((subnet) => `${from(subnet)} oifname != "${name}" masquerade`)),
        `ip saddr 127.0.0.0/8 oifname "${name}" masquerade`,
        ...subnets.map((subnet) => `${from(subnet)} oifname "${name}" ct status dnat masquerade`),
      ]),
    ],
    passing: [
      "type filter hook forward priority filter;",
      ...each(({ name, internal }) => [
        `iifname "${name}" oifname "${name}" accept`,
        ...(internal ? [`iifname "${name}" drop`, `oifname "${name}" drop`] : []),
      ]),
      ...each(({ name }) => [`oifname "${name}" ct state established,related accept`, `oifname "${name}" ct status dnat accept`]),
      ...each(({ name }) => [`oifname "${name}" drop`]),
    ],
  };
  const text = Object.entries(chains).map(
    ([name, lines]) => `  chain ${name} {\n${lines.map((line) => `    ${line}\n`).join("")}  }\n`,
  );
  return `${replace.join("\n")}\ntable inet ${table} {\n${text.join("")}}\n`;
}

function from(subnet: string): string {
  return `${subnet.includes(":") ? "ip6" : "ip"} saddr ${subnet}`;
}

function writePort({ hostIp, hostPort, targetIp, containerPort, protocol }: RuledPort): string {
  const target = `${protocol} dport ${hostPort} dnat ${hostIp.includes(":") ? "ip6" : "ip"} to ${formatSocket(targetIp, containerPort)}`;
  if (!hostIp.includes(":")) return `${hostIp === "0.0.0.0" ? "" : `ip daddr ${hostIp} `}meta nfproto ipv4 ${target}`;
  return `ip6 daddr ${hostIp === "::" ? "!= ::1" : hostIp} ip6 saddr != fe80::/10 ${target}`;
}
