import { isIP } from "node:net";
import type { PortRequest } from "../../containers/index.ts";
import { VarveError } from "../../errors/index.ts";
import { cut } from "../flags.ts";
import { usage } from "./flag-values.ts";

interface Range {
  readonly first: number;
  readonly last: number;
}

/**
 * Ports of `--publish`: `[[IP:][HOST]:]CONTAINER[/PROTOCOL]`, each a number or a range, or `published=…,target=…`. One port of the
 * container with a range of the host's: the first free one.
 */
export function readPorts(values: readonly string[]): readonly PortRequest[] {
  return values.flatMap((value) => readPort(value.includes("=") ? shortForm(value) : value));
}

function readPort(text: string): readonly PortRequest[] {
  const [rest, protocol = "tcp"] = cut(text, "/");
  const parts = rest.split(":");
  const container = parts.pop() ?? "";
  const host = parts.pop() ?? "";
  const ip = parts.join(":").replace(/^\[(.*)\]$/, "$1");
  if (ip !== "" && isIP(ip) === 0) throw usage(`invalid IP address: ${ip}`);
  if (container === "") throw usage(`no port specified: ${text}<empty>`);
  const target = readRange(container, () => usage(`invalid containerPort: ${container}`));
  const published = host === "" ? undefined : readRange(host, () => usage(`invalid hostPort: ${host}`));
  const count = target.last - target.first;
  const isWider = published !== undefined && published.last - published.first !== count;
  if (isWider && count > 0) throw usage(`invalid ranges specified for container and host Ports: ${container} and ${host}`);
  const kind = readProtocol(protocol);
  return Array.from({ length: count + 1 }, (_, index) => ({
    ...(ip === "" ? {} : { hostIp: ip }),
    ...(published === undefined ? {} : { hostPort: published.first + index }),
    ...(published !== undefined && isWider ? { lastHostPort: published.last } : {}),
    containerPort: target.first + index,
    protocol: kind,
  }));
}

function shortForm(text: string): string {
  const fields = new Map([["protocol", "tcp"]]);
  for (const field of text.split(",")) {
    const [name, value] = cut(field, "=");
    if (name === "" || value === undefined) throw usage(`invalid publish opts format (should be name=value but got '${field}')`);
    fields.set(name, value);
  }
  return `${fields.get("published") ?? ""}:${fields.get("target") ?? ""}/${fields.get("protocol") ?? ""}`;
}

/** Ports of `--expose` as `80/tcp`. */
export function readExposed(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => {
    const [ports, protocol = "tcp"] = cut(value, "/");
    const { first, last } = readRange(ports, (why) => usage(`invalid range format for --expose: ${value}, error: ${why}`));
    const kind = readProtocol(protocol);
    return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${kind}`);
  });
}

function readProtocol(protocol: string): PortRequest["protocol"] {
  const lower = protocol.toLowerCase();
  if (lower === "tcp" || lower === "udp") return lower;
  if (lower === "sctp") {
    throw new VarveError("CONTAINER_UNSUPPORTED", "ports of the protocol sctp: neither pasta nor Varve's rules forward them", {
      hint: "there are tcp and udp",
    });
  }
  throw usage(`invalid proto: ${protocol}`);
}

function readRange(text: string, fail: (why: string) => VarveError): Range {
  const [first, last = first] = cut(text, "-");
  const number = (digits: string): number => {
    if (!/^\d+$/.test(digits)) throw fail(`strconv.ParseUint: parsing ${JSON.stringify(digits)}: invalid syntax`);
    if (Number(digits) > 65535) throw fail(`strconv.ParseUint: parsing ${JSON.stringify(digits)}: value out of range`);
    return Number(digits);
  };
  const range = { first: number(first), last: number(last) };
  if (range.last < range.first) throw fail(`invalid range specified for port: ${text}`);
  return range;
}
