/** A network of IPv4 addresses: `first` is its address, as a number. */
export interface Cidr {
  readonly first: number;
  readonly length: number;
}

/** The address as a number below 2^32, undefined where the text is none. */
export function parseIpv4(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** `10.1.2.3/8`: the address in it, and its network. */
export function parseCidr(text: string): (Cidr & { readonly address: number }) | undefined {
  const [host = "", bits = "", ...rest] = text.split("/");
  const address = parseIpv4(host);
  const length = /^\d{1,2}$/.test(bits) ? Number(bits) : 33;
  if (address === undefined || length > 32 || rest.length > 0) return undefined;
  return { address, first: address - (address % 2 ** (32 - length)), length };
}

export function formatCidr({ first, length }: Cidr): string {
  return `${formatIpv4(first)}/${length}`;
}

/** The last address: of a network the one for broadcasts. */
export function lastOf({ first, length }: Cidr): number {
  return first + 2 ** (32 - length) - 1;
}

export function contains(outer: Cidr, address: number): boolean {
  return address >= outer.first && address <= lastOf(outer);
}

export function overlaps(left: Cidr, right: Cidr): boolean {
  return left.first <= lastOf(right) && right.first <= lastOf(left);
}
