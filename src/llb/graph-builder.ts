import { encodeOp, encodeTerminal, opDigest } from "./op.ts";
import { noMetadata } from "./definition-schema.ts";
import type { Definition, Input, Op, OpDigest, OpMetadata, SourceInfo, SourceLocation } from "./types.ts";

/** Facts about an op that are not part of its identity. */
export interface OpFacts {
  readonly metadata?: Partial<OpMetadata>;
  readonly locations?: readonly SourceLocation[];
}

/** Collects ops into a definition. */
export interface GraphBuilder {
  /** Adds an op whose inputs were added before, once: an op of the same bytes is the same vertex, and the facts add up. */
  add(op: Op, facts?: OpFacts): OpDigest;
  /** Adds a source text; gives the index for {@link SourceLocation}. */
  addSource(info: SourceInfo): number;
  /** The whole definition. Without a result it is empty: an empty file system. */
  finish(result: Input | undefined): Definition;
}

/** Makes an empty builder. An op whose input is unknown is a `TypeError`. */
export function createGraphBuilder(): GraphBuilder {
  const ops = new Map<OpDigest, Uint8Array>();
  const metadata = new Map<string, OpMetadata>();
  const locations = new Map<string, SourceLocation[]>();
  const infos: SourceInfo[] = [];

  return {
    add(op, facts = {}) {
      for (const input of op.inputs)
        if (!ops.has(input.digest)) throw new TypeError(`the input ${input.digest} was not added before its user`);
      const bytes = encodeOp(op);
      const digest = opDigest(bytes);
      if (!ops.has(digest)) ops.set(digest, bytes);
      metadata.set(digest, mergeMetadata(metadata.get(digest) ?? noMetadata, facts.metadata ?? {}));
      if (facts.locations !== undefined && facts.locations.length > 0)
        locations.set(digest, [...(locations.get(digest) ?? []), ...facts.locations]);
      return digest;
    },
    addSource(info) {
      return infos.push(info) - 1;
    },
    finish(result) {
      if (result === undefined) return { def: [], metadata: {} };
      const terminal = encodeTerminal(result);
      const caps: Record<string, boolean> = { constraints: true, platform: true };
      for (const { ignoreCache, description, exportCache } of metadata.values()) {
        if (ignoreCache) caps["meta.ignorecache"] = true;
        if (Object.keys(description).length > 0) caps["meta.description"] = true;
        if (exportCache !== undefined) caps["meta.exportcache"] = true;
      }
      return {
        def: [...ops.values(), terminal],
        metadata: {
          ...Object.fromEntries(metadata),
          [opDigest(terminal)]: { ...noMetadata, caps },
        },
        source: { locations: Object.fromEntries(locations), infos },
      };
    },
  };
}

function mergeMetadata(first: OpMetadata, second: Partial<OpMetadata>): OpMetadata {
  const exportCache = second.exportCache ?? first.exportCache;
  const progressGroup = second.progressGroup ?? first.progressGroup;
  return {
    ignoreCache: first.ignoreCache || (second.ignoreCache ?? false),
    description: { ...first.description, ...second.description },
    ...(exportCache === undefined ? {} : { exportCache }),
    caps: { ...first.caps, ...second.caps },
    ...(progressGroup === undefined ? {} : { progressGroup }),
  };
}
