import { VarveError } from "../errors/index.ts";
import { isDigest, type Digest } from "../oci/index.ts";
import { cacheLimits } from "./limits.ts";

/**
 * The config of a cache (`application/vnd.buildkit.cacheconfig.v0`, L60-L62): a forest of layers, and records that point to
 * layers and to one another by index. Indices of a value of this type are sound: in range, and without loops.
 */
export interface CacheConfig {
  readonly layers: readonly ConfigLayer[];
  readonly records: readonly ConfigRecord[];
}

export interface ConfigLayer {
  readonly blob: Digest;
  /** -1 for a lowest layer. */
  readonly parent: number;
}

export interface ConfigRecord {
  readonly digest: string;
  /** By input, its alternatives. */
  readonly inputs: readonly (readonly ConfigInput[])[];
  /** Results: the layer with all its parents. */
  readonly layers: readonly { readonly layer: number }[];
  /** Results: these layers, whatever their parents. */
  readonly chains: readonly { readonly layers: readonly number[] }[];
}

export interface ConfigInput {
  readonly selector: string;
  readonly link: number;
}

/** Reads a cache's config. Bad indices and loops are CACHE_INVALID, as in BuildKit (L67); members it does not know are let be. */
export function parseCacheConfig(bytes: Uint8Array): CacheConfig {
  const document = readObject(parseJson(bytes), "it");
  const layers = readList(document["layers"], "layers").map((value, index): ConfigLayer => {
    const layer = readObject(value, `layers[${index}]`);
    if (!isDigest(layer["blob"])) throw invalid(`layers[${index}].blob is no digest`);
    return { blob: layer["blob"], parent: readIndex(layer["parent"] ?? 0, `layers[${index}].parent`, -1) };
  });
  return checkIndices({ layers, records: parseRecords(document["records"]) });
}

/** Reads the records of an inline cache, whose layers are the image's own (L66). */
export function parseInlineRecords(bytes: Uint8Array, layers: readonly Digest[]): CacheConfig {
  const records = parseRecords(parseJson(bytes));
  return checkIndices({ layers: layers.map((blob, index) => ({ blob, parent: index - 1 })), records });
}

function parseRecords(value: unknown): ConfigRecord[] {
  return readList(value, "records").map((entry, index): ConfigRecord => {
    const place = `records[${index}]`;
    const record = readObject(entry, place);
    if (typeof record["digest"] !== "string") throw invalid(`${place}.digest is no text`);
    return {
      digest: record["digest"],
      inputs: readList(record["inputs"], `${place}.inputs`).map((alternatives) =>
        readList(alternatives, `${place}.inputs`).map((input): ConfigInput => {
          const { selector = "", link = 0 } = readObject(input, `${place}.inputs`);
          if (typeof selector !== "string") throw invalid(`a selector of ${place} is no text`);
          return { selector, link: readIndex(link, `a link of ${place}`) };
        }),
      ),
      layers: readList(record["layers"], `${place}.layers`).map((result) => ({
        layer: readIndex(readObject(result, place)["layer"] ?? 0, `a layer of ${place}`),
      })),
      chains: readList(record["chains"], `${place}.chains`).map((chain) => ({
        layers: readList(readObject(chain, place)["layers"], place).map((layer) => readIndex(layer, `a chain of ${place}`)),
      })),
    };
  });
}

/** Refuses indices that point nowhere or round in circles. */
function checkIndices(config: CacheConfig): CacheConfig {
  const { layers, records } = config;
  const below = (count: number, index: number, what: string): number => {
    if (index >= count) throw invalid(`${what} ${index} does not exist`);
    return index;
  };
  layers.forEach(({ parent }) => below(layers.length, parent, "the parent layer"));
  records.forEach((record) => {
    for (const { layer } of record.layers) below(layers.length, layer, "the layer");
    for (const chain of record.chains) for (const layer of chain.layers) below(layers.length, layer, "the layer");
    for (const input of record.inputs) {
      if (input.length === 0) throw invalid("a record has an input without alternatives");
      for (const { link } of input) below(records.length, link, "the record");
    }
  });
  refuseLoops(layers.map(({ parent }) => (parent < 0 ? [] : [parent])));
  refuseLoops(records.map(({ inputs }) => inputs.flatMap((input) => input.map(({ link }) => link))));
  return config;
}

/** Takes away what points to nothing that is left, until nothing can be taken (Kahn); no recursion, as depth is the writer's choice. */
function refuseLoops(edges: readonly (readonly number[])[]): void {
  const users = edges.map((): number[] => []);
  edges.forEach((targets, node) => {
    for (const target of targets) users[target]?.push(node);
  });
  const open = edges.map((targets) => targets.length);
  const free = open.flatMap((count, node) => (count === 0 ? [node] : []));
  let left = edges.length;
  for (let node = free.pop(); node !== undefined; node = free.pop()) {
    left -= 1;
    for (const user of users[node] ?? []) {
      open[user] = (open[user] ?? 0) - 1;
      if (open[user] === 0) free.push(user);
    }
  }
  if (left > 0) throw invalid("its records or layers form a loop");
}

/** A config's bytes: sorted, so that the same cache has the same digest (L63). */
export function encodeCacheConfig(config: CacheConfig): Uint8Array {
  const { layers, records } = sortConfig(config);
  return encode(
    {
      layers: layers.map(({ blob, parent }) => (parent === 0 ? { blob } : { blob, parent })),
      records: records.map(plainRecord),
    },
    "cache config",
  );
}

/** The records alone, for an image's config; their layers are indices into the image's. */
export function encodeInlineRecords(config: CacheConfig): Uint8Array {
  const { records } = sortConfig({ layers: [], records: config.records });
  return encode(records.map(plainRecord), "inline cache");
}

function encode(value: unknown, what: string): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(value));
  refuseLarge(bytes.length, what);
  return bytes;
}

/** Fails with CACHE_TOO_LARGE for a document that no reader of caches takes. */
export function refuseLarge(bytes: number, what: string): void {
  const limit = cacheLimits.maxCacheDocumentBytes;
  if (bytes <= limit) return;
  throw new VarveError("CACHE_TOO_LARGE", `the ${what} has ${bytes} bytes, more than the limit of ${limit}`, {
    details: { limit: "maxCacheDocumentBytes", value: limit },
  });
}

/** As Go prints the type: empty members are left out. */
function plainRecord({ digest, inputs, layers, chains }: ConfigRecord): object {
  return {
    ...(layers.length > 0 ? { layers } : {}),
    ...(chains.length > 0 ? { chains } : {}),
    digest,
    ...(inputs.length > 0
      ? { inputs: inputs.map((input) => input.map(({ selector, link }) => (selector === "" ? { link } : { selector, link }))) }
      : {}),
  };
}

function sortConfig({ layers, records }: CacheConfig): CacheConfig {
  const chainOf = (index: number): string => {
    const blobs: string[] = [];
    for (let layer = layers[index]; layer !== undefined; layer = layers[layer.parent]) blobs.push(layer.blob);
    return blobs.join(" ");
  };
  const chains = layers.map((_, index) => chainOf(index));
  const [layerOrder, layerAt] = orderBy(chains);
  const [recordOrder, recordAt] = orderBy(records.map(({ digest }) => digest));
  const newLayer = (index: number): number => (layers.length === 0 ? index : (layerAt[index] ?? -1));
  return {
    layers: layerOrder.map((old) => {
      const { blob, parent } = layers[old] as ConfigLayer;
      return { blob, parent: parent < 0 ? -1 : newLayer(parent) };
    }),
    records: recordOrder.map((old) => {
      const record = records[old] as ConfigRecord;
      return {
        digest: record.digest,
        inputs: record.inputs.map((input) => input.map(({ selector, link }) => ({ selector, link: recordAt[link] ?? -1 }))),
        layers: record.layers.map(({ layer }) => ({ layer: newLayer(layer) })),
        chains: record.chains.map((chain) => ({ layers: chain.layers.map(newLayer) })),
      };
    }),
  };
}

/** The old index by the new one, and the new one by the old. */
function orderBy(keys: readonly string[]): [readonly number[], readonly number[]] {
  const order = keys.map((_, index) => index).toSorted((a, b) => ((keys[a] ?? "") < (keys[b] ?? "") ? -1 : 1));
  const at: number[] = [];
  order.forEach((old, index) => (at[old] = index));
  return [order, at];
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new VarveError("CACHE_INVALID", "the cache config is not valid: it is not JSON in UTF-8", { cause });
  }
}

function readObject(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(`${place} is not an object`);
  return value as Record<string, unknown>;
}

/** Go prints empty lists as null, or not at all. */
function readList(value: unknown, place: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(`${place} is not a list`);
  return value;
}

function readIndex(value: unknown, place: string, least = 0): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least) throw invalid(`${place} is no index`);
  return value;
}

function invalid(problem: string): VarveError {
  return new VarveError("CACHE_INVALID", `the cache config is not valid: ${problem}`);
}
