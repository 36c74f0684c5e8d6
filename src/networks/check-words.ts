import { VarveError } from "../errors/index.ts";
import { parseAddress } from "./addresses.ts";
import type { Attachment } from "./types.ts";

/** What a name server's file, a list of commas, and a line of /etc/hosts can hold. */
export function isPlainName(name: string): boolean {
  return /^[\w.-]+$/.test(name);
}

/**
 * Refuses what would end its line in the texts that are made of it: files of the container, and of the name server that all containers
 * of a network share. Fails with NETWORK_INVALID.
 */
export function checkWords(attachment: Attachment): void {
  const { hostname, domainName = "", extraHosts, dns = [], dnsSearch = [], dnsOptions = [] } = attachment;
  const words = { hostname: [hostname], domainname: [domainName], "dns-search": dnsSearch, "dns-option": dnsOptions };
  const all = { ...words, "add-host": extraHosts.flatMap(({ host, ip }) => [host, ip]) };
  for (const [what, texts] of Object.entries(all)) {
    // eslint-disable-next-line no-control-regex -- these are what it is about
    const bad = texts.find((text) => /[\u0000-\u001f\u007f\u0085\u2028\u2029]/.test(text));
    if (bad !== undefined) throw new VarveError("NETWORK_INVALID", `invalid ${what}: ${JSON.stringify(bad)}`);
  }
  const server = dns.find((text) => parseAddress(text.trim()) === undefined);
  if (server !== undefined) throw new VarveError("NETWORK_INVALID", `IP address is not correctly formatted: ${server}`);
}
