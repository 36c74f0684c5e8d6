import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { wayOutResolver } from "./holder.ts";
import { subnetOf } from "./make-network.ts";
import type { NetworkRow } from "./network-rows.ts";
import type { Attachment, ContainerFiles, NetworkEndpoint } from "./types.ts";

/** What /etc/resolv.conf of this machine says. (resolv.conf(5)) */
export interface Resolver {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** systemd-resolved keeps the real servers here where /etc/resolv.conf names its own at 127.0.0.53. */
const resolvedFile = "/run/systemd/resolve/resolv.conf";

export function readResolver(text: string): Resolver {
  const values = (key: string): readonly (readonly string[])[] =>
    text
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([word]) => word === key)
      .map(([, ...rest]) => rest);
  return {
    servers: values("nameserver").flatMap(([server]) => (server === undefined ? [] : [server])),
    search: values("search").at(-1) ?? values("domain").at(-1) ?? [],
    options: values("options").flat(),
  };
}

/** This machine's resolver as a container can use it: servers that listen at this machine's own loopback are out of its reach. */
export function reachableResolver(): Resolver {
  const [resolver, behind] = ["/etc/resolv.conf", resolvedFile].map((file) => readResolver(readOrEmpty(file)));
  const reachable = (servers: readonly string[] = []) =>
    servers.filter((server) => !server.startsWith("127.") && !server.includes(":"));
  const own = reachable(resolver?.servers);
  return {
    servers: own.length > 0 ? own : reachable(behind?.servers),
    search: resolver?.search ?? [],
    options: resolver?.options ?? [],
  };
}

/** As Docker gives: what was asked for, and for the rest what this machine has. */
function writeResolvConf(
  attachment: Attachment,
  servers: readonly string[],
  resolver: Resolver,
  options: readonly string[],
): string {
  const search =
    (attachment.dnsSearch ?? []).length > 0 ? (attachment.dnsSearch ?? []).filter((name) => name !== ".") : resolver.search;
  const asked = attachment.dnsOptions ?? [];
  const settings =
    asked.length > 0
      ? [...asked, ...options.filter((one) => !asked.some((other) => keyOf(other) === keyOf(one)))]
      : [...resolver.options, ...options];
  return [
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(search.length > 0 ? [`search ${search.join(" ")}\n`] : []),
    ...(settings.length > 0 ? [`options ${settings.join(" ")}\n`] : []),
  ].join("");
}

function keyOf(option: string): string {
  return option.split(":")[0] ?? "";
}

const loopbackHosts = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

/** Docker's /etc/hosts; `gateway` is what `host-gateway` stands for. */
function writeHosts(attachment: Attachment, addresses: readonly string[], gateway: string | undefined): string {
  const { hostname, domainName, extraHosts } = attachment;
  const extra = extraHosts.flatMap(({ host, ip }) => {
    const address = ip === "host-gateway" ? gateway : ip;
    return address === undefined ? [] : [`${address}\t${host}\n`];
  });
  const full = domainName === undefined || domainName === "" ? hostname : `${hostname}.${domainName}`;
  const [short = ""] = full.split(".", 1);
  const names = short === full || short === "" ? full : `${full} ${short}`;
  return `${loopbackHosts}${extra.join("")}${addresses.map((address) => `${address}\t${names}\n`).join("")}`;
}

/** What Docker falls back to where this machine has no server that the default network could reach. */
const publicServers: readonly string[] = ["8.8.8.8", "8.8.4.4"];

/** The files of a container that tell of its networks. */
export function writeFiles(
  attachment: Attachment,
  place: {
    readonly kind: "host" | "none" | "bridge";
    readonly networks: readonly NetworkRow[];
    readonly endpoints: readonly NetworkEndpoint[];
    readonly isRoot: boolean;
  },
): ContainerFiles {
  const { kind, networks, endpoints, isRoot } = place;
  const hostnameFile = `${attachment.hostname}\n`;
  const asked = attachment.dns ?? [];
  if (kind === "host") {
    const resolver = readResolver(readOrEmpty("/etc/resolv.conf"));
    const resolvConf = writeResolvConf(attachment, asked.length > 0 ? asked : resolver.servers, resolver, []);
    const extra = writeHosts(attachment, [], "127.0.0.1").slice(loopbackHosts.length);
    return { resolvConf, hosts: `${readOrEmpty("/etc/hosts")}${extra}`, hostnameFile };
  }
  const resolver = reachableResolver();
  const gateways = networks.flatMap((network) => (network.predefined ? [] : (subnetOf(network, 4)?.gateway ?? [])));
  const fallback = isRoot ? publicServers : [wayOutResolver];
  const own = asked.length > 0 ? asked : resolver.servers.length > 0 || kind === "none" ? resolver.servers : fallback;
  // A machine's own address is the gateway of its bridges; without root these stand elsewhere.
  const machine = isRoot ? endpoints.find(({ gateway }) => gateway !== "")?.gateway : firstAddress();
  return {
    resolvConf: writeResolvConf(
      attachment,
      gateways.length > 0 ? gateways : own,
      resolver,
      gateways.length > 0 ? ["ndots:0"] : [],
    ),
    hosts: writeHosts(
      attachment,
      endpoints.flatMap(({ ipv4, ipv6 }) => [ipv4, ...(ipv6 === undefined ? [] : [ipv6])]),
      machine,
    ),
    hostnameFile,
  };
}

function firstAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((one) => one !== undefined && one.family === "IPv4" && !one.internal)?.address;
}

function readOrEmpty(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
