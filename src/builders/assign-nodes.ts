import { acceptedPlatforms, formatPlatform, type Platform } from "../oci/index.ts";
import type { NodeRecord } from "./types.ts";

/** The platforms of a build that one node makes. */
export interface NodeShare {
  readonly node: NodeRecord;
  readonly platforms: readonly Platform[];
}

/**
 * Which node makes what: a platform goes to the node that was given it, else to one that was given a platform that can stand in
 * for it, else to the first (W10 to W13). Without platforms the first node makes all. Nodes without work are left out.
 */
export function assignNodes(nodes: readonly NodeRecord[], platforms: readonly Platform[]): readonly NodeShare[] {
  const [first] = nodes;
  if (first === undefined) return [];
  if (platforms.length === 0) return [{ node: first, platforms }];
  const shares = new Map<NodeRecord, Platform[]>();
  for (const platform of platforms) {
    let chosen: NodeRecord | undefined;
    for (const accepted of [platform, ...acceptedPlatforms(platform)])
      chosen ??= nodes.find((node) => node.platforms.includes(formatPlatform(accepted)));
    const node = chosen ?? first;
    shares.set(node, [...(shares.get(node) ?? []), platform]);
  }
  return [...shares].map(([node, share]) => ({ node, platforms: share }));
}
