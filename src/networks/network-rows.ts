import { randomBytes } from "node:crypto";
import { VarveError } from "../errors/index.ts";
import type { State } from "../state/index.ts";
import type { NetworkRecord, PublishedPort, Subnet } from "./types.ts";

/** A network with what only this room needs to know. */
export interface NetworkRow extends NetworkRecord {
  readonly chosen: boolean;
  /** Nobody asked for its IPv6 subnet. */
  readonly chosenIpv6: boolean;
  readonly bridge: string;
}

/** A running container. */
export interface MemberRow {
  readonly container: string;
  readonly name: string;
  readonly hostname: string;
  readonly ports: readonly PublishedPort[];
  readonly dns: readonly string[];
  readonly forwarder: string | undefined;
}

export interface EndpointRow {
  readonly container: string;
  readonly network: string;
  readonly position: number;
  readonly ipv4: string;
  readonly ipv6: string | undefined;
  readonly mac: string;
  readonly aliases: readonly string[];
  readonly link: string;
}

/** All rows of this room, as values. What changes several calls of it belongs into a transaction. */
export interface NetworkRows {
  networks(): readonly NetworkRow[];
  /** By name, ID or the beginning of an ID. */
  find(name: string): NetworkRow;
  insert(network: NetworkRow): void;
  delete(id: string): void;
  setSubnets(id: string, subnets: readonly Subnet[]): void;
  members(): readonly MemberRow[];
  addMember(member: MemberRow): void;
  renameMember(container: string, name: string): void;
  setForwarder(container: string, forwarder: string): void;
  /** Whether there was such a container. */
  removeMember(container: string): boolean;
  endpoints(): readonly EndpointRow[];
  addEndpoint(endpoint: EndpointRow): void;
  removeEndpoint(container: string, network: string): void;
  note(key: StateKey): string | undefined;
  setNote(key: StateKey, value: string | undefined): void;
}

/**
 * `dirty`: rows changed and the kernel does not know yet. `dropping`: the boot at which it was told that another firewall is in the
 * way. The others name processes, and what was changed on this machine.
 */
export type StateKey = "dirty" | "holder" | "way-out" | "forwarding" | "forwarding-ipv6" | "dropping";

const endpointTables = ["network_endpoints_ipv6", "network_endpoints"] as const;
const selectNetworks = `SELECT networks.*, networks_with_ipv6.chosen AS chosenIpv6
  FROM networks LEFT JOIN networks_with_ipv6 ON network = id ORDER BY name`;
const selectEndpoints = `SELECT network_endpoints.*, ipv6
  FROM network_endpoints LEFT JOIN network_endpoints_ipv6 USING (container, network) ORDER BY container, position`;

type Flat<Row> = { [K in keyof Row]: string | number | null };

export function openNetworkRows(state: State): NetworkRows {
  const rows: NetworkRows = {
    networks: () =>
      state.all<Flat<NetworkRow> & { created: number }>(selectNetworks).map((row) => ({
        id: String(row.id),
        name: String(row.name),
        driver: row.driver as NetworkRecord["driver"],
        createdMs: row.created,
        labels: parse(row.labels),
        options: parse(row.options),
        internal: row.internal === 1,
        attachable: row.attachable === 1,
        subnets: parse(row.subnets),
        predefined: row.predefined === 1,
        chosen: row.chosen === 1,
        ipv6: row.chosenIpv6 !== null,
        chosenIpv6: row.chosenIpv6 === 1,
        bridge: String(row.bridge),
      })),
    find(name) {
      const all = rows.networks();
      const exact = all.find((network) => network.id === name) ?? all.find((network) => network.name === name);
      if (exact !== undefined) return exact;
      const [found, ...others] = /^[0-9a-f]+$/.test(name) ? all.filter(({ id }) => id.startsWith(name)) : [];
      if (found === undefined) throw new VarveError("NETWORK_NOT_FOUND", `network ${name} not found`);
      if (others.length > 0)
        throw new VarveError(
          "NETWORK_AMBIGUOUS",
          `network ${name} is ambiguous (${others.length + 1} matches found based on ID prefix)`,
        );
      return found;
    },
    insert(network) {
      state.run(
        `INSERT OR IGNORE INTO networks (id, name, driver, created, labels, options, internal, attachable, subnets, chosen, bridge, predefined)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        network.id,
        network.name,
        network.driver,
        network.createdMs,
        JSON.stringify(network.labels),
        JSON.stringify(network.options),
        Number(network.internal),
        Number(network.attachable),
        JSON.stringify(network.subnets),
        Number(network.chosen),
        network.bridge,
        Number(network.predefined),
      );
      if (network.ipv6)
        state.run("INSERT INTO networks_with_ipv6 (network, chosen) VALUES (?, ?)", network.id, Number(network.chosenIpv6));
    },
    delete(id) {
      state.run("DELETE FROM networks_with_ipv6 WHERE network = ?", id);
      state.run("DELETE FROM networks WHERE id = ?", id);
    },
    setSubnets: (id, subnets) => void state.run("UPDATE networks SET subnets = ? WHERE id = ?", JSON.stringify(subnets), id),
    members: () =>
      state.all<Flat<MemberRow>>("SELECT * FROM network_members ORDER BY container").map((row) => ({
        container: String(row.container),
        name: String(row.name),
        hostname: String(row.hostname),
        ports: parse(row.ports),
        dns: parse(row.dns),
        forwarder: row.forwarder === null ? undefined : String(row.forwarder),
      })),
    addMember: ({ container, name, hostname, ports, dns, forwarder }) =>
      void state.run(
        "INSERT OR REPLACE INTO network_members (container, name, hostname, ports, dns, forwarder) VALUES (?, ?, ?, ?, ?, ?)",
        container,
        name,
        hostname,
        JSON.stringify(ports),
        JSON.stringify(dns),
        forwarder ?? null,
      ),
    setForwarder: (container, forwarder) =>
      void state.run("UPDATE network_members SET forwarder = ? WHERE container = ?", forwarder, container),
    renameMember: (container, name) => void state.run("UPDATE network_members SET name = ? WHERE container = ?", name, container),
    removeMember(container) {
      for (const table of endpointTables) state.run(`DELETE FROM ${table} WHERE container = ?`, container);
      return state.run("DELETE FROM network_members WHERE container = ?", container).changes > 0;
    },
    endpoints: () =>
      state.all<Flat<EndpointRow>>(selectEndpoints).map((row) => ({
        container: String(row.container),
        network: String(row.network),
        position: Number(row.position),
        ipv4: String(row.ipv4),
        ipv6: row.ipv6 === null ? undefined : String(row.ipv6),
        mac: String(row.mac),
        aliases: parse(row.aliases),
        link: String(row.link),
      })),
    addEndpoint({ container, network, position, ipv4, ipv6, mac, aliases, link }) {
      state.run(
        "INSERT INTO network_endpoints (container, network, position, ipv4, mac, aliases, link) VALUES (?, ?, ?, ?, ?, ?, ?)",
        container,
        network,
        position,
        ipv4,
        mac,
        JSON.stringify(aliases),
        link,
      );
      if (ipv6 !== undefined)
        state.run("INSERT INTO network_endpoints_ipv6 (container, network, ipv6) VALUES (?, ?, ?)", container, network, ipv6);
    },
    removeEndpoint(container, network) {
      for (const table of endpointTables)
        state.run(`DELETE FROM ${table} WHERE container = ? AND network = ?`, container, network);
    },
    note: (key) => state.get<{ value: string }>("SELECT value FROM network_state WHERE key = ?", key)?.value,
    setNote(key, value) {
      if (value === undefined) state.run("DELETE FROM network_state WHERE key = ?", key);
      else state.run("INSERT OR REPLACE INTO network_state (key, value) VALUES (?, ?)", key, value);
    },
  };
  return rows;
}

/** A name for a link that no other has: at most 15 characters (if_nametoindex(3), IFNAMSIZ). */
export function newLinkName(kind: "br" | "ve"): string {
  return `v${kind}${randomBytes(6).toString("hex")}`;
}

export function isOwnLinkName(name: string): boolean {
  return /^v(?:br|ve)[0-9a-f]{12}$/.test(name);
}

function parse<T>(text: string | number | null): T {
  return JSON.parse(String(text)) as T;
}
