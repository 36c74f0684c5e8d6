import { isIP } from "node:net";
import { map, scalar, type Node, type Place } from "./node.ts";

interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * The long forms of a port in its short form `[IP:][PUBLISHED[-TO]:]TARGET[-TO][/PROTOCOL]`, one for each target port
 * (Compose Specification, services, "ports"). A published range for one target port stays a range. Undefined and a reason
 * when it is none.
 */
export function readPort(text: string, place?: Place): { readonly ports: readonly Node[] } | { readonly reason: string } {
  const fail = (reason: string): { readonly reason: string } => ({ reason: `invalid port ${JSON.stringify(text)}: ${reason}` });
  const [, body = "", protocolText] = /^(.*?)(?:\/([^/]*))?$/s.exec(text) ?? [];
  const protocol = (protocolText ?? "tcp").toLowerCase();
  if (!["tcp", "udp", "sctp"].includes(protocol)) return fail(`"${protocol}" is no protocol; there are tcp, udp and sctp`);
  const parts = body.split(":");
  const targetText = parts.pop() ?? "";
  const publishedText = parts.pop() ?? "";
  const host = parts.join(":").replace(/^\[(.*)\]$/, "$1");
  if (host !== "" && isIP(host) === 0) return fail(`"${host}" is no IP address`);
  const target = readRange(targetText);
  if (target === undefined) return fail(`"${targetText}" is no port of a container`);
  const published = publishedText === "" ? undefined : readRange(publishedText);
  if (publishedText !== "" && published === undefined) return fail(`"${publishedText}" is no port of a host`);
  const targets = target.to - target.from + 1;
  const publishes = published === undefined ? targets : published.to - published.from + 1;
  if (publishes !== targets && targets !== 1) return fail("the ranges differ in length");
  // In the order of Docker Compose, which sorts them as texts
  const indexes = Array.from({ length: targets }, (_, index) => index).toSorted((left, right) =>
    String(target.from + left) < String(target.from + right) ? -1 : 1,
  );
  const ports = indexes.map((index) => {
    const one = published === undefined ? undefined : String(published.from + index);
    return map(
      {
        mode: scalar("ingress"),
        host_ip: host === "" ? undefined : scalar(host, place),
        target: scalar(target.from + index, place),
        published: one === undefined ? undefined : scalar(publishes === targets ? one : publishedText, place),
        protocol: scalar(protocol),
      },
      place,
    );
  });
  return { ports };
}

function readRange(text: string): Range | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  return from <= to && to <= 65_535 ? { from, to } : undefined;
}
