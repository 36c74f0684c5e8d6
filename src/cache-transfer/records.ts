import { isDigest, type Digest } from "../oci/index.ts";
import type { SolvedVertex } from "../solver/index.ts";
import type { CacheConfig, ConfigInput, ConfigRecord } from "./cache-config.ts";

/**
 * How Varve's keys stand in a cache config. A record has the vertex's key as its digest and, as inputs, the records of the
 * inputs that it depends on as a whole. A link (the key made of input keys alone → the canonical one) is a record too: its
 * first input is the canonical record under the selector below, the others are the records of all inputs. To BuildKit these
 * are records of keys that it never asks for.
 */
const linkSelector = "varve.link";

/** Where a record's result lies: in the layers of a config, with a layer's parents or as a list. */
export type ResultPointer = { readonly layer: number } | { readonly chain: readonly number[] };

/** The records of what a solve found out. Vertices that mean nothing elsewhere have none. */
export function recordsOf(
  vertices: readonly SolvedVertex[],
  resultOf: (key: string) => ResultPointer | undefined,
): ConfigRecord[] {
  const records: ConfigRecord[] = [];
  const indices = new Map<string, number>();
  const inputsOf = (keys: readonly string[]): ConfigInput[][] =>
    keys.flatMap((key) => {
      const link = indices.get(key);
      return link === undefined ? [] : [[{ selector: "", link }]];
    });
  const add = (key: string, inputs: ConfigInput[][], pointer: ResultPointer | undefined): void => {
    if (indices.has(key)) return;
    indices.set(key, records.length);
    records.push({
      digest: `sha256:${key}`,
      inputs,
      layers: pointer && "layer" in pointer ? [{ layer: pointer.layer }] : [],
      chains: pointer && "chain" in pointer ? [{ layers: pointer.chain }] : [],
    });
  };
  for (const { key, fastKey, inputKeys, wholeInputKeys, volatile } of vertices) {
    if (volatile) continue;
    add(key, inputsOf(wholeInputKeys), resultOf(key));
    const link = indices.get(key);
    if (fastKey !== undefined && link !== undefined)
      add(fastKey, [[{ selector: linkSelector, link }], ...inputsOf(inputKeys)], undefined);
  }
  return records;
}

export interface FoundRecord {
  /** Keys of the inputs that the record's vertex depends on as a whole, as far as they have records. */
  readonly inputKeys: readonly string[];
  /** The blobs of each result, lowest first. */
  readonly results: readonly (readonly Digest[])[];
}

/** What a config says, by key. */
export interface FoundRecords {
  has(key: string): boolean;
  record(key: string): FoundRecord | undefined;
  /** By the key made of input keys alone. */
  link(fastKey: string): { readonly key: string; readonly inputKeys: readonly string[] } | undefined;
}

/** Looks into a config. Another builder's records are among them, under keys that nobody asks for. */
export function findRecords({ layers, records }: CacheConfig): FoundRecords {
  const found = new Map<string, ConfigRecord[]>();
  const links = new Map<string, { readonly to: number; readonly inputs: ConfigRecord["inputs"] }>();
  const keyAt = (index: number): string | undefined => keyOf(records[index]?.digest);
  const withParents = (index: number): Digest[] => {
    const blobs: Digest[] = [];
    for (let layer = layers[index]; layer !== undefined; layer = layers[layer.parent]) blobs.push(layer.blob);
    return blobs.reverse();
  };
  for (const record of records) {
    const key = keyOf(record.digest);
    const [first] = record.inputs[0] ?? [];
    if (key === undefined) continue;
    if (first?.selector === linkSelector) links.set(key, { to: first.link, inputs: record.inputs.slice(1) });
    else found.set(key, [...(found.get(key) ?? []), record]);
  }
  return {
    has: (key) => found.has(key),
    record(key) {
      const entries = found.get(key);
      if (entries === undefined) return undefined;
      return {
        inputKeys: keysOf(entries[0]?.inputs ?? [], keyAt),
        results: entries.flatMap((entry) => [
          ...entry.layers.map(({ layer }) => withParents(layer)),
          ...entry.chains.map((chain) => chain.layers.flatMap((index) => layers[index]?.blob ?? [])),
        ]),
      };
    },
    link(fastKey) {
      const link = links.get(fastKey);
      const key = link && keyAt(link.to);
      return link && key !== undefined ? { key, inputKeys: keysOf(link.inputs, keyAt) } : undefined;
    },
  };
}

function keyOf(digest: string | undefined): string | undefined {
  return isDigest(digest) && digest.startsWith("sha256:") ? digest.slice("sha256:".length) : undefined;
}

function keysOf(inputs: ConfigRecord["inputs"], keyAt: (index: number) => string | undefined): string[] {
  return inputs.flatMap((alternatives) => alternatives.flatMap(({ link }) => keyAt(link) ?? []));
}
