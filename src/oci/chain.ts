import { sha256 } from "./digest.ts";
import type { Digest } from "./types.ts";

/**
 * The chain ID of every layer from the lowest up: what identifies the stack that ends there. The first is its diff ID;
 * each next hashes the chain below, a space, and its diff ID. (OCI image-spec, config.md, "Layer ChainID")
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : sha256(`${below} ${diffId}`));
  }
  return chain;
}

/** The chain ID of the whole stack; undefined for no layers. */
export function chainId(diffIds: readonly Digest[]): Digest | undefined {
  return chainIds(diffIds).at(-1);
}
