import type { PublishedPort } from "./types.ts";

/** A bridge that is up, as the rules see it. */
export interface RuledBridge {
  readonly name: string;
  readonly subnet: string;
  readonly internal: boolean;
  readonly masquerade: boolean;
}

export interface RuledPort extends PublishedPort {
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
 */
export function writeRules(table: string, bridges: readonly RuledBridge[], ports: readonly RuledPort[]): string {
  const replace = [`table inet ${table} {}`, `delete table inet ${table}`];
  if (bridges.length === 0) return `${replace.join("\n")}\n`;
  const each = (write: (bridge: RuledBridge) => readonly string[]): readonly string[] => bridges.flatMap(write);
  const chains: Readonly<Record<string, readonly string[]>> = {
    published: ports.map(
      ({ hostIp, hostPort, targetIp, containerPort, protocol }) =>
        `${hostIp === "0.0.0.0" ? "" : `ip daddr ${hostIp} `}meta nfproto ipv4 ${protocol} dport ${hostPort} dnat ip to ${targetIp}:${containerPort}`,
    ),
    spoofed: [
      "type filter hook prerouting priority raw;",
      ...each(({ name }) => [`iifname "${name}" ip daddr 127.0.0.0/8 drop`]),
    ],
    incoming: ["type nat hook prerouting priority dstnat;", "fib daddr type local jump published"],
    local: ["type nat hook output priority -100;", "fib daddr type local jump published"],
    outgoing: [
      "type nat hook postrouting priority srcnat;",
      ...each(({ name, subnet, internal, masquerade }) => [
        ...(internal || !masquerade ? [] : [`ip saddr ${subnet} oifname != "${name}" masquerade`]),
        `ip saddr 127.0.0.0/8 oifname "${name}" masquerade`,
        `ip saddr ${subnet} oifname "${name}" ct status dnat masquerade`,
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
