import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { overlaps, type Cidr } from "./addresses.ts";

/** Docker's own pools for networks of one machine, in its order. (Docker docs, "Networking overview", "Subnet allocation") */
const pools: readonly Cidr[] = [
  ...Array.from({ length: 15 }, (_, index): Cidr => ({ family: 4, first: BigInt((172 * 256 + 17 + index) * 65536), length: 16 })),
  ...Array.from({ length: 16 }, (_, index): Cidr => ({
    family: 4,
    first: BigInt((192 * 256 + 168) * 65536 + index * 4096),
    length: 20,
  })),
];

/** The first pool that nothing of `taken` overlaps, undefined when there is none. */
export function chooseSubnet(taken: readonly Cidr[]): Cidr | undefined {
  return pools.find((pool) => !taken.some((one) => overlaps(one, pool)));
}

/** A network of 64 bits in a prefix of 48 bits that nobody else has: addresses for use inside a site (RFC 4193, section 3.2). */
export function inventIpv6Subnet(): Cidr {
  const first = BigInt(`0xfd${randomBytes(5).toString("hex")}`) << 80n;
  return { family: 6, first, length: 64 };
}

/** Where this machine's IPv4 routes lead, but for the default one. */
export function routedSubnets(text: string = readFileSync("/proc/net/route", "latin1")): readonly Cidr[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, destination, , , , , , mask] = line.split("\t");
      if (destination === undefined || mask === undefined || mask === "00000000") return [];
      const length = Math.clz32(~parseLittleEndian(mask));
      return [{ family: 4 as const, first: BigInt(parseLittleEndian(destination)), length }];
    });
}

/** As /proc/net/route has its numbers on the machines that Varve is for. */
function parseLittleEndian(hex: string): number {
  return Buffer.from(hex, "hex").readUInt32LE();
}
