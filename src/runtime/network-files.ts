import { readFileSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { VarveError } from "../errors/index.ts";
import { hasCode } from "../sys/index.ts";
import { defaultHostname, type ContainerProcess } from "./container-process.ts";

/** Writes `resolv.conf` and `hosts` of a step into a folder. */
export function writeNetworkFiles(
  process: ContainerProcess,
  folder: string,
): { readonly resolvConfPath: string; readonly hostsPath: string } {
  const resolvConfPath = join(folder, "resolv.conf");
  const hostsPath = join(folder, "hosts");
  writeFileSync(resolvConfPath, makeResolvConf(process.network, readIfThere), { mode: 0o644 });
  writeFileSync(hostsPath, makeHosts(process), { mode: 0o644 });
  return { resolvConfPath, hostsPath };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

const ownConf = "/etc/resolv.conf";
/** Where systemd-resolved writes the servers that it asks itself. */
const resolvedConf = "/run/systemd/resolve/resolv.conf";

/**
 * The step's resolv.conf. On the host's network the host's own, stub resolver and all. In a network of its own a resolver on a
 * loopback address answers nobody: systemd-resolved's list of real servers is taken, and loopback servers are left out.
 */
export function makeResolvConf(network: "host" | "none", read: (path: string) => string | undefined): string {
  const own = read(ownConf) ?? "";
  if (network === "host") return own;
  const servers = nameServers(own);
  const text = servers.length === 1 && servers[0] === "127.0.0.53" ? (read(resolvedConf) ?? own) : own;
  return text
    .split("\n")
    .filter((line) => !nameServers(line).some(isLoopback))
    .join("\n");
}

function nameServers(text: string): string[] {
  return [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map((match) => match[1] ?? "");
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** The step's /etc/hosts: itself, then `--add-host`. */
export function makeHosts({ hostname, extraHosts }: Pick<ContainerProcess, "hostname" | "extraHosts">): string {
  const lines = [
    `127.0.0.1\tlocalhost ${hostname === "" ? defaultHostname : hostname}`,
    "::1\tlocalhost ip6-localhost ip6-loopback",
  ];
  for (const { host, ip } of extraHosts) {
    if (isIP(ip) === 0) {
      throw new VarveError("RUNTIME_HOST", `the extra host "${host}" has no IP address: "${ip}"`, {
        hint:
          ip === "host-gateway"
            ? "host-gateway names a bridge of Docker's daemon, which is not there; give an address"
            : "write --add-host NAME=ADDRESS",
      });
    }
    if (/[\s#]/.test(host) || host === "") throw new VarveError("RUNTIME_HOST", `"${host}" is not the name of a host`);
    lines.push(`${ip}\t${host}`);
  }
  return `${lines.join("\n")}\n`;
}
