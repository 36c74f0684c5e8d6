import { VarveError } from "../errors/index.ts";
import { holdPort, releasePort, type HeldPort } from "./forward-ports.ts";
import { runIn, type Place } from "./programs.ts";
import { tableName } from "./rules.ts";
import type { PortWish, PublishedPort } from "./types.ts";

/** Where ports are taken from that nobody named: net.ipv4.ip_local_port_range's default, as in Docker. */
const [firstFree, lastFree] = [32768, 60999];

/**
 * Takes the ports that a container wants. They come bound: a port of another program is found so, and nobody takes one meanwhile.
 * `taken` are those that other containers have. Fails with NETWORK_PORT_TAKEN, NETWORK_EXHAUSTED and NETWORK_INVALID, with nothing
 * held.
 */
export async function takePorts(
  wishes: readonly PortWish[],
  taken: readonly PublishedPort[],
  defaultIp: string,
): Promise<readonly HeldPort[]> {
  const held: HeldPort[] = [];
  try {
    for (const wish of wishes) {
      const others = [...taken, ...held.map(({ port }) => port)];
      const { hostIp: wished = "", containerPort, protocol } = wish;
      const hostIp = wished === "" ? defaultIp : wished;
      if (hostIp.includes(":"))
        throw new VarveError("NETWORK_UNSUPPORTED", `ports are published at IPv4 addresses only, not at ${hostIp}`);
      const at = (hostPort: number): PublishedPort => ({ hostIp, hostPort, containerPort, protocol });
      if (wish.hostPort !== undefined && wish.hostPort !== 0) held.push(await takeNamed(at(wish.hostPort), others));
      else held.push(await takeFree(at, others));
    }
    return held;
  } catch (error) {
    await Promise.all(held.map(releasePort));
    throw error;
  }
}

async function takeNamed(port: PublishedPort, others: readonly PublishedPort[]): Promise<HeldPort> {
  const shown = `${port.hostIp}:${port.hostPort}`;
  if (others.some((other) => collide(other, port)))
    throw new VarveError("NETWORK_PORT_TAKEN", `Bind for ${shown} failed: port is already allocated`);
  try {
    return await holdPort(port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const failed = `failed to bind host port ${shown}/${port.protocol}`;
    if (code === "EADDRINUSE") throw new VarveError("NETWORK_PORT_TAKEN", `${failed}: address already in use`, { cause: error });
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EINVAL")
      throw new VarveError("NETWORK_INVALID", `${failed}: cannot assign requested address`, { cause: error });
    if (code !== "EACCES") throw error;
    throw new VarveError("NETWORK_INVALID", `${failed}: an ordinary user may not publish this port`, {
      cause: error,
      hint: `take one from 1024 up, or as root: sysctl net.ipv4.ip_unprivileged_port_start=${port.hostPort}`,
    });
  }
}

async function takeFree(at: (hostPort: number) => PublishedPort, others: readonly PublishedPort[]): Promise<HeldPort> {
  for (let hostPort = firstFree; hostPort <= lastFree; hostPort += 1) {
    if (others.some((other) => collide(other, at(hostPort)))) continue;
    try {
      return await holdPort(at(hostPort));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    }
  }
  throw new VarveError("NETWORK_EXHAUSTED", `no port from ${firstFree} to ${lastFree} is free`);
}

function collide(left: PublishedPort, right: PublishedPort): boolean {
  const sameAddress = left.hostIp === right.hostIp || [left.hostIp, right.hostIp].includes("0.0.0.0");
  return sameAddress && left.hostPort === right.hostPort && left.protocol === right.protocol;
}

/** Ports that other stores of this machine publish: their rules hold no socket that a bind would find. */
export async function foreignPorts(place: Place, mark: string): Promise<readonly PublishedPort[]> {
  const tables = await runIn(place, "nft", ["list", "tables", "inet"]);
  const names = [...tables.matchAll(/^table inet (varve_\w+)$/gm)].flatMap(([, name]) => name ?? []);
  const ports: PublishedPort[] = [];
  for (const name of names.filter((one) => one !== tableName(mark))) {
    const rules = await runIn(place, "nft", ["--numeric", "list", "table", "inet", name]);
    for (const [, hostIp, protocol, hostPort, containerPort] of rules.matchAll(publishedRule)) {
      ports.push({
        hostIp: hostIp ?? "0.0.0.0",
        hostPort: Number(hostPort),
        containerPort: Number(containerPort),
        protocol: protocol === "udp" ? "udp" : "tcp",
      });
    }
  }
  return ports;
}

/** As nft prints the rules of the chain `published`. */
const publishedRule = /(?:ip daddr ([\d.]+) )?(?:meta nfproto \S+ )?(tcp|udp) dport (\d+) dnat ip to [\d.]+:(\d+)/g;
