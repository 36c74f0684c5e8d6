import { isIPv6 } from "node:net";

export type Family = 4 | 6;

/** An address of either family, as a number. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** A network of addresses: `first` is its own address, as a number. */
export interface Cidr {
  readonly family: Family;
  readonly first: bigint;
  readonly length: number;
}

const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

/** Undefined where the text is no address. Those with a zone (`fe80::1%eth0`) are none. */
export function parseAddress(text: string): Address | undefined {
  if (text.includes(":")) return isIPv6(text) && !text.includes("%") ? { family: 6, value: parseIpv6(text) } : undefined;
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  return { family: 4, value: joinParts(parts, 8) };
}

/** IPv6 addresses as RFC 5952 has them. */
export function formatAddress({ family, value }: Address): string {
  return family === 4 ? splitParts(value, 8, 4).join(".") : formatIpv6(value);
}

/** `10.1.2.3/8`: the address in it, and its network. */
export function parseCidr(text: string): (Cidr & { readonly address: bigint }) | undefined {
  const [host = "", bits = "", ...rest] = text.split("/");
  const address = parseAddress(host);
  if (address === undefined || !/^\d{1,3}$/.test(bits) || rest.length > 0) return undefined;
  const [length, width] = [Number(bits), bitsOf(address.family)];
  if (length > width) return undefined;
  const size = 1n << BigInt(width - length);
  return { family: address.family, address: address.value, first: address.value - (address.value % size), length };
}

export function formatCidr({ family, first, length }: Cidr): string {
  return `${formatAddress({ family, value: first })}/${length}`;
}

/** The last address: of an IPv4 network the one for broadcasts. */
export function lastOf({ family, first, length }: Cidr): bigint {
  return first + (1n << BigInt(bitsOf(family) - length)) - 1n;
}

export function contains(outer: Cidr, { family, value }: Address): boolean {
  return family === outer.family && value >= outer.first && value <= lastOf(outer);
}

export function overlaps(left: Cidr, right: Cidr): boolean {
  return left.family === right.family && left.first <= lastOf(right) && right.first <= lastOf(left);
}

/** `1.2.3.4:80`, `[::1]:80`. */
export function formatSocket(address: string, port: number): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

function parseIpv6(text: string): bigint {
  const [head = "", tail] = text.split("::");
  const words = (part: string): readonly number[] =>
    part
      .split(":")
      .filter((word) => word !== "")
      .flatMap((word) => (word.includes(".") ? splitParts(parseAddress(word)?.value ?? 0n, 16, 2) : [Number.parseInt(word, 16)]));
  const [first, last] = [words(head), words(tail ?? "")];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => 0);
  return joinParts([...first, ...zeros, ...last], 16);
}

function formatIpv6(value: bigint): string {
  const words = splitParts(value, 16, 8).map((word) => word.toString(16));
  const runs = [...words.join(":").matchAll(/\b0(?::0)+\b/g)].toSorted((left, right) => right[0].length - left[0].length);
  const [longest] = runs;
  if (longest === undefined) return words.join(":");
  const text = words.join(":");
  const end = longest.index + longest[0].length;
  return `${text.slice(0, longest.index).replace(/:$/, "")}::${text.slice(end).replace(/^:/, "")}`;
}

function joinParts(parts: readonly number[], bits: number): bigint {
  return parts.reduce((sum, part) => (sum << BigInt(bits)) + BigInt(part), 0n);
}

function splitParts(value: bigint, bits: number, count: number): readonly number[] {
  const mask = (1n << BigInt(bits)) - 1n;
  return Array.from({ length: count }, (_, index) => Number((value >> BigInt(bits * (count - 1 - index))) & mask));
}
