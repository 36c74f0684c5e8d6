/**
 * Networks: addresses, published ports, bridges and names of containers. The truth is rows of the state database; the kernel's links
 * and rules, made with `ip` and `nft`, follow from it. Without root everything stands in one user and network namespace of the
 * store, and slirp4netns is the way out. Never starts containers, and knows none but by ID.
 */
export type * from "./types.ts";
export { matchSubnets } from "./check-subnet.ts";
export { openNetworks } from "./open-networks.ts";
export { networksSchema } from "./schema.ts";
