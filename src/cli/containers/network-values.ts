import { isIP } from "node:net";
import type { EndpointRequest } from "../../containers/index.ts";
import { VarveError } from "../../errors/index.ts";
import { cut } from "../flags.ts";
import type { ContainerFlags } from "./container-flags.ts";
import { readCsvLine, usage, wrongValue } from "./flag-values.ts";

interface Wish {
  readonly target: string;
  readonly endpoint: EndpointRequest;
}

type NetworkFlags = Pick<ContainerFlags, "network" | "net" | "network-alias" | "net-alias" | "ip" | "ip6" | "mac-address">;

/** Networks of `--network`, the first with `--network-alias`, `--ip` and `--mac-address` (Docker docs, "docker run", "--network"). */
export function readNetworks(flags: NetworkFlags): {
  readonly networkMode: string;
  readonly networks: Readonly<Record<string, EndpointRequest>>;
} {
  const wishes = [...flags.network, ...flags.net].map(readWish);
  const [first = { target: "default", endpoint: { aliases: [] } }, ...others] = wishes;
  const all = [{ ...first, endpoint: withFlags(first.endpoint, flags) }, ...others];
  for (const [index, { target, endpoint }] of all.entries()) {
    if (target.trim() === "") throw usage("no name set for network");
    if (!isUserDefined(target) && endpoint.aliases.length > 0)
      throw usage("network-scoped aliases are only supported for user-defined networks");
    if (all.findIndex((other) => other.target === target) < index)
      throw usage(`network ${JSON.stringify(target)} is specified multiple times`);
  }
  if (all.some(({ target }) => isUserDefined(target)) && all.some(({ target }) => !isUserDefined(target)))
    throw usage("conflicting options: cannot attach both user-defined and non-user-defined network-modes");
  return {
    networkMode: first.target,
    networks: Object.fromEntries(all.map(({ target, endpoint }) => [target, endpoint])),
  };
}

function isUserDefined(name: string): boolean {
  return !["default", "bridge", "host", "none"].includes(name) && !name.startsWith("container:");
}

function withFlags(endpoint: EndpointRequest, flags: NetworkFlags): EndpointRequest {
  const aliases = [...flags["network-alias"], ...flags["net-alias"]];
  const both = (what: string): VarveError => usage(`conflicting options: cannot specify both ${what}`);
  if (endpoint.aliases.length > 0 && aliases.length > 0) throw both("--network-alias and per-network alias");
  if (endpoint.ipv4 !== undefined && flags.ip !== undefined) throw both("--ip and per-network IPv4 address");
  if (endpoint.ipv6 !== undefined && flags.ip6 !== undefined) throw both("--ip6 and per-network IPv6 address");
  if (endpoint.macAddress !== undefined && flags["mac-address"] !== undefined)
    throw both("--mac-address and per-network MAC address");
  const { ip, ip6, "mac-address": mac } = flags;
  return {
    ...endpoint,
    aliases: aliases.length > 0 ? aliases : endpoint.aliases,
    ...(ip === undefined ? {} : { ipv4: readAddress(ip, 4, () => usage(`invalid IPv4 address: ${ip}`)) }),
    ...(ip6 === undefined ? {} : { ipv6: readAddress(ip6, 6, () => usage(`invalid IPv6 address: ${ip6}`)) }),
    ...(mac === undefined ? {} : { macAddress: readMac(mac) }),
  };
}

function readWish(value: string): Wish {
  if (!/\w+=\w+(?:,\w+=\w+)*/.test(value)) return { target: value, endpoint: { aliases: [] } };
  const wrong = (why: string): VarveError => wrongValue(value, "--network", why);
  let target = "";
  let endpoint: EndpointRequest = { aliases: [] };
  for (const field of readCsvLine(value, wrong)) {
    const [key, given] = cut(field, "=");
    const name = key.trim().toLowerCase();
    if (given === undefined || name === "") throw wrong(`invalid field ${field.toLowerCase()}`);
    const text = given.trim().toLowerCase();
    switch (name) {
      case "name":
        target = text;
        break;
      case "alias":
        endpoint = { ...endpoint, aliases: [...endpoint.aliases, text] };
        break;
      case "ip":
        endpoint = {
          ...endpoint,
          ipv4: readAddress(text, 4, () => wrong(`ParseAddr(${JSON.stringify(text)}): unable to parse IP`)),
        };
        break;
      case "ip6":
        endpoint = {
          ...endpoint,
          ipv6: readAddress(text, 6, () => wrong(`ParseAddr(${JSON.stringify(text)}): unable to parse IP`)),
        };
        break;
      case "mac-address":
        endpoint = { ...endpoint, macAddress: readMac(text) };
        break;
      case "link-local-ip":
      case "driver-opt":
      case "gw-priority":
        throw new VarveError(
          "CONTAINER_UNSUPPORTED",
          `--network ${name}= is not supported: Varve's networks have no such setting`,
        );
      default:
        throw wrong(`invalid field key ${name}`);
    }
  }
  if (target === "") throw wrong("network name/id is not specified");
  return { target, endpoint };
}

function readAddress(text: string, version: 4 | 6, fail: () => VarveError): string {
  if (isIP(text) !== version) throw fail();
  return text;
}

function readMac(text: string): string {
  const mac = text.trim();
  if (/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(mac)) return mac.replaceAll("-", ":").toLowerCase();
  throw usage(`${text} is not a valid mac address`);
}

/** `--add-host NAME:ADDRESS`; `host-gateway` is this machine as the container sees it. */
export function readExtraHosts(values: readonly string[]): readonly { readonly host: string; readonly ip: string }[] {
  return values.map((value) => {
    const [host, given] = value.includes("=") ? cut(value, "=") : cut(value, ":");
    if (given === undefined || host === "" || host.includes(":"))
      throw wrongValue(value, "--add-host", `bad format for add-host: ${JSON.stringify(value)}`);
    const ip = /^\[(.+)\]$/.exec(given)?.[1] ?? given;
    if (ip !== "host-gateway" && isIP(ip) === 0)
      throw wrongValue(value, "--add-host", `invalid IP address in add-host: ${JSON.stringify(ip)}`);
    return { host, ip };
  });
}

/** `--dns`, `--dns-search` and `--dns-option`. */
export function readDns(flags: Pick<ContainerFlags, "dns" | "dns-search" | "dns-option" | "dns-opt">): {
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
} {
  for (const address of flags.dns)
    if (isIP(address.trim()) === 0) throw wrongValue(address, "--dns", `IP address is not correctly formatted: ${address}`);
  for (const domain of flags["dns-search"]) {
    const isDomain = /^\.$|^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(domain.trim());
    if (!isDomain) throw wrongValue(domain, "--dns-search", `${domain} is not a valid domain`);
  }
  const options = [...flags["dns-option"], ...flags["dns-opt"]];
  return {
    ...(flags.dns.length === 0 ? {} : { dns: flags.dns }),
    ...(flags["dns-search"].length === 0 ? {} : { dnsSearch: flags["dns-search"] }),
    ...(options.length === 0 ? {} : { dnsOptions: options }),
  };
}
