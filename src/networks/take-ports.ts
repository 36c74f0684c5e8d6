import { randomInt } from "node:crypto";
import { VarveError } from "../errors/index.ts";
import { formatAddress, formatSocket, parseAddress } from "./addresses.ts";
import { holdPort, releasePort, type HeldPort } from "./forward-ports.ts";
import { hasIpv6, needIpv6 } from "./ipv6-here.ts";
import type { PortWish, PublishedPort } from "./types.ts";

/** Where ports are taken from that nobody named: net.ipv4.ip_local_port_range's default, as in Docker. */
const [firstFree, lastFree] = [32768, 60999];

export interface TakeOptions {
  /** Ports that other containers have. */
  readonly taken: readonly PublishedPort[];
  /** Where ports are published that name no address; `0.0.0.0` is everywhere, also with IPv6. */
  readonly defaultIp: string;
  /** The container's address, for messages. */
  readonly targetIp: string;
}

/**
 * Takes the ports that a container wants. They come bound: a port of another program is found so, and nobody takes one meanwhile.
 * Fails with NETWORK_PORT_TAKEN, NETWORK_EXHAUSTED, NETWORK_UNSUPPORTED and NETWORK_INVALID, with nothing held.
 */
export async function takePorts(wishes: readonly PortWish[], options: TakeOptions): Promise<readonly HeldPort[]> {
  const held: HeldPort[] = [];
  try {
    for (const wish of wishes) {
      const taken = [...options.taken, ...held.map(({ port }) => port)];
      held.push(...(await takeOne(wish, { ...options, taken })));
    }
    return held;
  } catch (error) {
    await Promise.all(held.map(releasePort));
    throw error;
  }
}

/** The first of the ports that a wish allows which is free at each of its addresses. */
async function takeOne(wish: PortWish, { taken, defaultIp, targetIp }: TakeOptions): Promise<readonly HeldPort[]> {
  const { containerPort, protocol, hostPort: first = 0, lastHostPort: last = first } = wish;
  const hostIps = addressesOf(wish, defaultIp);
  let failure: unknown;
  for (const hostPort of first === 0 ? anyPorts() : range(first, Math.max(first, last))) {
    const wanted = hostIps.map((hostIp): PublishedPort => ({ hostIp, hostPort, containerPort, protocol }));
    try {
      return await takeAll(wanted, taken, targetIp);
    } catch (error) {
      if (!(error instanceof VarveError) || error.code !== "NETWORK_PORT_TAKEN") throw error;
      failure = error;
    }
  }
  if (first !== 0) throw failure;
  throw new VarveError("NETWORK_EXHAUSTED", `no port from ${firstFree} to ${lastFree} is free`);
}

/** From one by chance on: a port that was let go a moment ago is not the next one's, nor another store's that begins as well. */
function* anyPorts(): Generator<number> {
  const start = randomInt(firstFree, lastFree + 1);
  yield* range(start, lastFree);
  yield* range(firstFree, start - 1);
}

function* range(first: number, last: number): Generator<number> {
  for (let port = first; port <= last; port += 1) yield port;
}

function addressesOf({ hostIp = "" }: PortWish, defaultIp: string): readonly string[] {
  if (hostIp !== "") {
    const address = parseAddress(hostIp);
    if (address === undefined) throw new VarveError("NETWORK_INVALID", `invalid IP address: ${JSON.stringify(hostIp)}`);
    const text = formatAddress(address);
    if (text.includes(":")) needIpv6(`cannot publish a port at ${text}`);
    return [text];
  }
  return defaultIp === "0.0.0.0" && hasIpv6() ? ["0.0.0.0", "::"] : [defaultIp];
}

async function takeAll(
  wanted: readonly PublishedPort[],
  taken: readonly PublishedPort[],
  targetIp: string,
): Promise<readonly HeldPort[]> {
  const colliding = wanted.flatMap((port) => taken.find((other) => collide(other, port)) ?? []).at(-1);
  if (colliding !== undefined) {
    const { hostIp, hostPort } = colliding;
    throw new VarveError("NETWORK_PORT_TAKEN", `Bind for ${hostIp}:${hostPort} failed: port is already allocated`);
  }
  const held: HeldPort[] = [];
  try {
    for (const port of wanted) held.push(await hold(port, targetIp));
    return held;
  } catch (error) {
    await Promise.all(held.map(releasePort));
    throw error;
  }
}

/** Binds a port, in Docker's words where it cannot be. */
async function hold(port: PublishedPort, targetIp: string): Promise<HeldPort> {
  try {
    return await holdPort(port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const { hostIp, hostPort, containerPort, protocol } = port;
    const failed = `failed to bind host port for ${formatSocket(hostIp, hostPort)}:${targetIp}:${containerPort}/${protocol}`;
    if (code === "EADDRINUSE") throw new VarveError("NETWORK_PORT_TAKEN", `${failed}: address already in use`, { cause: error });
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EINVAL")
      throw new VarveError("NETWORK_INVALID", `${failed}: cannot assign requested address`, { cause: error });
    if (code !== "EACCES") throw error;
    throw new VarveError("NETWORK_INVALID", `${failed}: an ordinary user may not publish this port`, {
      cause: error,
      hint: `take one from 1024 up, or as root: sysctl net.ipv4.ip_unprivileged_port_start=${hostPort}`,
    });
  }
}

function collide(left: PublishedPort, right: PublishedPort): boolean {
  if (left.hostPort !== right.hostPort || left.protocol !== right.protocol) return false;
  const everywhere = left.hostIp.includes(":") ? "::" : "0.0.0.0";
  const sameFamily = left.hostIp.includes(":") === right.hostIp.includes(":");
  return sameFamily && (left.hostIp === right.hostIp || [left.hostIp, right.hostIp].includes(everywhere));
}
